// What a member of a group does with the partitions that it has been given, whatever its group's protocol: reads on where the group
// stands, and commits.

import { errorName } from '../../protocol/errors.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { idOf } from '../crash-lab/documents.ts'
import type { Telling } from '../crash-lab/history.ts'
import { walk } from '../crash-lab/log-reader.ts'
import { type Caller, Lost, Refused } from './caller.ts'
import { grainMs } from './loop.ts'
import type { Ownership } from './ownership.ts'

export const sessionMs = 6_000

/** The group and what it reads. */
export type Subscribed = { readonly group: string; readonly topic: string; readonly isolation: 0 | 1 }
/** As the coordinator knows it: its epoch, or its generation. */
export type Standing = { readonly memberId: string; readonly epoch: number }

/** What a coordinator says that is not there just now. */
export const passing = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'KAFKA_STORAGE_ERROR',
  'UNSTABLE_OFFSET_COMMIT',
])

export class GroupReading {
  readonly of: Subscribed
  readonly #id: string
  readonly #caller: Caller
  readonly #history: Telling
  readonly #ownership: Ownership
  /** Next offset by partition; undefined where it has not asked for it yet. */
  readonly #positions = new Map<number, number | undefined>()

  constructor(of: Subscribed, id: string, caller: Caller, history: Telling, ownership: Ownership) {
    this.of = of
    this.#id = id
    this.#caller = caller
    this.#history = history
    this.#ownership = ownership
  }

  get partitions(): readonly number[] {
    return [...this.#positions.keys()]
  }

  #name(partition: number): string {
    return `${this.of.group} ${this.of.topic}-${partition}`
  }

  /** Gives up what is not wanted any more, and begins with what is new. */
  turnTo(wanted: ReadonlySet<number>): void {
    for (const partition of this.partitions) {
      if (wanted.has(partition)) continue
      this.#positions.delete(partition)
      this.#ownership.give(this.#name(partition), this.#id)
    }
    for (const partition of wanted) if (!this.#positions.has(partition)) this.#positions.set(partition, undefined)
  }

  /** Asked for at `since`, and answered: nobody else can have been given them before a session is over. */
  hold(since: number): void {
    const until = since + sessionMs - grainMs
    for (const partition of this.partitions)
      this.#ownership.take(this.#name(partition), this.#id, this.#caller.loop.now, until)
  }

  /** A turn of each partition. Throws Lost and Refused. */
  async readAll(standing: Standing): Promise<void> {
    for (const partition of this.partitions) await this.#read(partition, standing)
  }

  async #read(partition: number, standing: Standing): Promise<void> {
    const { group, topic, isolation } = this.of
    const from = this.#positions.get(partition) ?? (await this.#committed(partition, standing))
    const place = { topic, partition }
    const records: [number, string][] = []
    const client = await this.#caller.client()
    const to = await walk(client, place, from, isolation, ({ offset, value }, _, isOut) => {
      if (!isOut) records.push([offset, idOf(value)])
    })
    if (!this.#positions.has(partition)) return
    this.#positions.set(partition, to)
    if (to === from) return
    if (records.length > 0) this.#history.tell({ t: 'read', group, reader: this.#id, ...place, records })
    this.#history.tell({ t: 'commit', group, ...place, offset: to })
    const told = await this.#caller.ask(offsetCommit, 9, {
      groupId: group,
      generationIdOrMemberEpoch: standing.epoch,
      memberId: standing.memberId,
      topics: [
        { name: topic, partitions: [{ partitionIndex: partition, committedOffset: to, committedMetadata: null }] },
      ],
    })
    const { errorCode } = told.topics[0]!.partitions[0]!
    if (errorCode === 0) this.#history.tell({ t: 'committed', group, ...place, offset: to })
    else if (!passing.has(errorName(errorCode)!)) throw new Refused('OffsetCommit', errorName(errorCode)!)
    else throw new Lost('OffsetCommit')
  }

  async #committed(partition: number, { memberId, epoch }: Standing): Promise<number> {
    const topics = [{ name: this.of.topic, partitionIndexes: [partition] }]
    const groups = [{ groupId: this.of.group, memberId, memberEpoch: epoch, topics }]
    const told = await this.#caller.ask(offsetFetch, 9, { groups, requireStable: true })
    const found = told.groups[0]!.topics[0]?.partitions[0]
    const errorCode = told.groups[0]!.errorCode || (found?.errorCode ?? 0)
    if (errorCode === 0) return Math.max(0, found?.committedOffset ?? 0)
    const said = errorName(errorCode)!
    if (passing.has(said)) throw new Lost(`OffsetFetch: ${said}`)
    throw new Refused('OffsetFetch', said)
  }
}
