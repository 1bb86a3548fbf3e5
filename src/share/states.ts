// Every share partition of the broker, and the log that remembers them: what Kafka's share coordinator and its persister
// are. The log is `__share_group_state`; it is kept short by snapshots, below which it is deleted.

import { StorageError } from '../../protocol/errors.ts'
import type { KeyedRecord } from '../broker/internal-topic.ts'
import { partitionOfKey } from '../broker/placement.ts'
import { Journal } from '../group/journal.ts'
import type { Clock } from '../storage/clock.ts'
import type { DeadLetter } from './dead-letters.ts'
import { InFlight, isDone } from './in-flight.ts'
import {
  learn,
  putAll,
  type Replayed,
  type ShareKey,
  type Snapshot,
  type StateBatch,
  snapshotRecord,
  stateCode,
  textOf,
  tombstones,
  updateRecord,
} from './records.ts'
import type { ShareSettings } from './settings.ts'
import { type Keeper, SharePartition, type ShareUpdate } from './share-partition.ts'

/** The internal topic as this room sees it. */
export interface StateLog {
  readonly partitionCount: number
  append(partition: number, records: readonly KeyedRecord[]): Promise<void>
  replay(
    partition: number,
    visit: (key: Buffer, value: Buffer | null, timestampMs: number) => void,
  ): Promise<void> | void
  endOffset(partition: number): number
  /** What lies below is not needed any more. */
  deleteBelow(partition: number, offset: number): Promise<void>
}

type Environment = {
  readonly clock: Clock
  readonly log: StateLog
  /** `share.coordinator.snapshot.update.records.per.snapshot` */
  readonly updatesMax: number
  settings(groupId: string): ShareSettings
  /** See Keeper. */
  bury(of: ShareKey, letters: readonly DeadLetter[]): Promise<void> | undefined
}

/** So many records of a partition of the log, and all that is known is written anew and the rest deleted. */
const recordsMax = 5_000

export class ShareStates implements Keeper {
  readonly clock: Clock
  readonly #environment: Environment
  readonly #journal: Journal
  /** By group, then by topic id and partition. */
  readonly #shares = new Map<string, Map<string, SharePartition>>()
  readonly #unreadable = new Set<number>()
  /** Records in each partition of the log since it was last cut. */
  readonly #recordCounts = new Map<number, number>()

  constructor(environment: Environment) {
    this.clock = environment.clock
    this.#environment = environment
    this.#journal = new Journal(environment.log)
  }

  settings(groupId: string): ShareSettings {
    return this.#environment.settings(groupId)
  }

  // --- life

  /** Reads what the log remembers; what cannot be read stays apart, and nothing is written over it. */
  async load(): Promise<void> {
    for (let partition = 0; partition < this.#environment.log.partitionCount; partition++) {
      try {
        await this.#load(partition)
      } catch (cause) {
        this.#unreadable.add(partition)
        console.error(`Partition ${partition} of the log of share groups cannot be read:`, cause)
      }
    }
  }

  async #load(partition: number): Promise<void> {
    const known = new Map<string, Replayed>()
    let count = 0
    await this.#environment.log.replay(partition, (key, value) => {
      learn(known, key, value)
      count++
    })
    if (count > 0) this.#recordCounts.set(partition, count)
    for (const replayed of known.values()) this.#put(new SharePartition(replayed, this))
  }

  /** Whether the partition of the log that remembers this cannot be read. */
  isUnreadable(of: ShareKey): boolean {
    return this.#unreadable.has(this.#partitionOf(of))
  }

  /** Lets go of every timer. */
  stop(): void {
    for (const share of this.all) share.remove()
  }

  /** Forgets everything: the log is about to be deleted. */
  reset(): void {
    this.stop()
    this.#shares.clear()
    this.#recordCounts.clear()
  }

  // --- finding

  find({ groupId, topicId, partition }: ShareKey): SharePartition | undefined {
    return this.#shares.get(groupId)?.get(`${topicId}:${partition}`)
  }

  get groups(): string[] {
    return [...this.#shares.keys()]
  }

  of(groupId: string): SharePartition[] {
    return [...(this.#shares.get(groupId)?.values() ?? [])]
  }

  get all(): SharePartition[] {
    return [...this.#shares.values()].flatMap((shares) => [...shares.values()])
  }

  #put(share: SharePartition): void {
    const { groupId, topicId, partition } = share.of
    let shares = this.#shares.get(groupId)
    if (shares === undefined) {
      shares = new Map()
      this.#shares.set(groupId, shares)
    }
    shares.get(`${topicId}:${partition}`)?.remove()
    shares.set(`${topicId}:${partition}`, share)
  }

  #drop({ of: { groupId, topicId, partition } }: SharePartition): void {
    const shares = this.#shares.get(groupId)
    const name = `${topicId}:${partition}`
    shares?.get(name)?.remove()
    shares?.delete(name)
    if (shares?.size === 0) this.#shares.delete(groupId)
  }

  #partitionOf(of: ShareKey): number {
    return partitionOfKey(textOf(of), this.#environment.log.partitionCount)
  }

  // --- changing, log first. All of these reject with StorageError where the log refuses

  /** Begins to remember a share partition; where it starts is found at the first fetch. One that is known stays. */
  async initialise(of: ShareKey): Promise<void> {
    if (this.find(of) === undefined) await this.#begin(of, -1)
  }

  /** Moves the start to where an administrator wants it; whatever was handed out is forgotten. */
  alter(of: ShareKey, startOffset: number): Promise<void> {
    return this.#begin(of, startOffset)
  }

  /** The same, with what is known of records beyond the start. */
  plant(of: ShareKey, startOffset: number, batches: readonly StateBatch[]): Promise<void> {
    return this.#begin(of, startOffset, batches)
  }

  #begin(of: ShareKey, startOffset: number, batches: readonly StateBatch[] = []): Promise<void> {
    if (this.isUnreadable(of)) return Promise.reject(new StorageError('EIO', 'the log of share groups cannot be read'))
    const before = this.find(of)?.known
    const now = this.clock.now()
    const inFlight = startOffset === -1 ? undefined : new InFlight(startOffset)
    if (inFlight !== undefined) putAll(inFlight, batches)
    const known: Replayed = {
      of,
      snapshotEpoch: before === undefined ? 0 : before.snapshotEpoch + 1,
      stateEpoch: before === undefined ? 0 : before.stateEpoch + 1,
      startOffset,
      doneCount: inFlight?.doneFrom(startOffset) ?? -1,
      createdAt: now,
      updateCount: 0,
      inFlight,
    }
    const partition = this.#partitionOf(of)
    this.#count(partition)
    return this.#journal.write(partition, [snapshotRecord(of, snapshotOf(known, now))], () =>
      this.#put(new SharePartition(known, this)),
    )
  }

  remove(share: SharePartition): Promise<void> {
    return this.#journal.write(this.#partitionOf(share.of), tombstones(share.of), () => this.#drop(share))
  }

  async keep(share: SharePartition, update: ShareUpdate, apply: () => void): Promise<void> {
    const { of, known } = share
    const { startOffset, doneCount: deliveryCompleteCount, batches } = update
    const { snapshotEpoch } = known
    const record = updateRecord(of, {
      snapshotEpoch,
      leaderEpoch: 0,
      startOffset,
      deliveryCompleteCount,
      stateBatches: batches,
    })
    const partition = this.#partitionOf(of)
    await this.#journal.write(partition, [record], () => {
      if (!share.isRemoved) apply()
    })
    this.#count(partition)
    if (share.noteUpdate() >= this.#environment.updatesMax) this.#inBackground(this.#snapshot(share))
  }

  bury(of: ShareKey, letters: readonly DeadLetter[]): Promise<void> | undefined {
    return this.#environment.bury(of, letters)
  }

  // --- keeping the log short

  #count(partition: number): void {
    const count = (this.#recordCounts.get(partition) ?? 0) + 1
    this.#recordCounts.set(partition, count)
    if (count >= recordsMax) this.#inBackground(this.#cut(partition))
  }

  /** Made when all that was asked for earlier is in the log, so it holds nothing that the log might yet refuse. */
  #snapshot(share: SharePartition): Promise<void> {
    share.noteSnapshot()
    const records = () => (share.isRemoved ? [] : [snapshotRecord(share.of, snapshotOf(share.known, this.clock.now()))])
    return this.#journal.writeAlone(this.#partitionOf(share.of), records, () => {})
  }

  /** Writes all that is known of one partition of the log, and lets go of what lies before. */
  async #cut(partition: number): Promise<void> {
    this.#recordCounts.set(partition, 0)
    const { log } = this.#environment
    let keptFrom = 0
    const records = () => {
      keptFrom = log.endOffset(partition)
      const shares = this.all.filter(({ of }) => this.#partitionOf(of) === partition)
      return shares.map((share) => {
        share.noteSnapshot()
        return snapshotRecord(share.of, snapshotOf(share.known, this.clock.now()))
      })
    }
    await this.#journal.writeAlone(partition, records, () => {})
    await log.deleteBelow(partition, keptFrom)
  }

  #inBackground(work: Promise<void>): void {
    work.catch((cause: unknown) => console.error(`The log of share groups could not be cut: ${String(cause)}`))
  }
}

/** What somebody has acquired is available again to whoever reads this, and that delivery has not been. */
export function snapshotOf(known: Readonly<Replayed>, now: number): Snapshot {
  const { inFlight } = known
  const start = inFlight?.start ?? known.startOffset
  const batches: StateBatch[] = []
  for (const range of inFlight?.ranges ?? []) {
    const { first: firstOffset, last: lastOffset, state } = range
    const deliveryCount = range.deliveryCount - (state === 'acquired' ? 1 : 0)
    // A hole says the same.
    if (!isDone(range) && deliveryCount === 0) continue
    batches.push({ firstOffset, lastOffset, deliveryState: stateCode(state), deliveryCount })
  }
  return {
    snapshotEpoch: known.snapshotEpoch,
    stateEpoch: known.stateEpoch,
    leaderEpoch: 0,
    startOffset: start,
    deliveryCompleteCount: known.doneCount === -1 ? -1 : (inFlight?.doneFrom(start) ?? 0),
    createTimestamp: known.createdAt,
    writeTimestamp: now,
    stateBatches: batches,
  }
}
