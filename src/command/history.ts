// `__branches`: every event once, in the order in which things became true. Written after the metadata log, which decides;
// a start compares the two and writes what a kill has kept from being told.

import { Corruption, DamagedRecords, Refusal, StorageError } from '../../protocol/errors.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { BranchEvent } from '../branch/events.ts'
import { branchesTopic, commandHeader, jsonTopics } from '../branch/json-topics.ts'
import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import { TopicOnDemand } from '../broker/topic-on-demand.ts'
import type { Timer } from '../storage/clock.ts'
import { type CommittedRecord, readCommitted } from './committed-records.ts'

/** What a start has to tell that the history does not have yet; by the ids of `events`. */
export type Untold = { readonly event: BranchEvent; readonly command?: number }

type Known = { readonly offset: number; readonly began: boolean }

type Timed = { readonly event: BranchEvent; readonly at: number }

/** They say that something is under way, or that it is not any more; the command has no result yet. */
const isFinal = ({ type }: BranchEvent): boolean => type !== 'merge-begin' && type !== 'merge-aborted'
/** How long what is told without anybody waiting for it may wait for others that share its batch and its flush, ms. */
const sharedMs = 50
/** How long it may wait for a flush then, ms: what the next start would tell anyhow need not be on stable storage at once. */
const lateMs = 500
/** From here on a batch of them is no small one any more. */
const sharedTopicsMax = 64
/** A dry run does not use up the id of what it has tried. */
const planKey = (id: string): string => `plan ${id}`
const isPlan = (event: BranchEvent): boolean => event.type === 'plan' || event['dryRun'] === true

export class History {
  readonly #broker: Broker
  readonly #told: TopicOnDemand
  /** Results by id, and by planKey those of dry runs. */
  readonly #results = new Map<string, number>()
  /** Last words by id of what has no result yet. */
  readonly #begun = new Map<string, Known>()
  /** The command whose execution writes events of an id. */
  readonly #commands = new Map<string, number>()
  readonly #onResult: ((event: BranchEvent) => void)[] = []
  /** Written since the start, by `type status`. */
  readonly resultCounts = new Map<string, number>()
  #nextCommand = 0
  /** What is told soon, in one batch, or with the next that is told at once. */
  readonly #soon: Timed[] = []
  #soonTimer: Timer | undefined
  /** The flush of what was told so, and what has it begin now. */
  #late: { readonly partition: Partition; readonly flushed: Promise<void>; readonly begin: () => void } | undefined

  constructor(broker: Broker) {
    this.#broker = broker
    this.#told = new TopicOnDemand(broker, jsonTopics.find(({ name }) => name === branchesTopic)!)
  }

  /** Reads what was told so far, and tells what is `untold`: answers the ids of that. Throws StorageError, Corruption. */
  async load(untold: readonly Untold[]): Promise<ReadonlySet<string>> {
    const late = new Set<string>()
    this.#results.clear()
    this.#begun.clear()
    this.#nextCommand = 0
    // After a kill only what is flushed may be read, and what was told was perhaps not flushed.
    await this.#told.topic?.partitions[0]?.flush()
    for (const record of this.#records()) this.#note(record)
    for (const { event, command } of untold) {
      if (this.#results.has(event.id)) continue
      if (command !== undefined) this.expect(event.id, command)
      await this.write(event)
      late.add(event.id)
    }
    return late
  }

  /** Calls `listener` with every result that is written from now on. */
  onResult(listener: (event: BranchEvent) => void): void {
    this.#onResult.push(listener)
  }

  /** As fresh: the topic is gone. */
  reset(): void {
    this.#takeSoon()
    this.#results.clear()
    this.#begun.clear()
    this.#commands.clear()
    this.#nextCommand = 0
  }

  *#records(): Generator<CommittedRecord> {
    const partition = this.#told.topic?.partitions[0]
    if (partition === undefined) return
    for (let from = 0; ; ) {
      const portion = readCommitted(partition, from)
      if (portion === undefined) return
      if (portion instanceof Refusal) throw new Corruption(`${branchesTopic} cannot be read: ${portion.message}`)
      yield* portion.records
      from = portion.nextOffset
    }
  }

  #note(record: CommittedRecord): void {
    const event = parse(record.value)
    if (event === undefined) return
    const command = record.headers.find(({ key }) => key === commandHeader)?.value
    this.#noted(event, record.offset, command === undefined || command === null ? undefined : Number(command))
  }

  #noted(event: BranchEvent, offset: number, command: number | undefined): void {
    const { id } = event
    if (!isFinal(event)) {
      this.#begun.set(id, { offset, began: event.type === 'merge-begin' })
      if (command !== undefined) this.#commands.set(id, command)
      return
    }
    // The first result is the one that counts.
    const key = isPlan(event) ? planKey(id) : id
    if (!this.#results.has(key)) this.#results.set(key, offset)
    if (!isPlan(event)) this.#begun.delete(id)
    this.#commands.delete(id)
    if (command !== undefined) this.#nextCommand = Math.max(this.#nextCommand, command + 1)
  }

  /** The first command without a result. */
  get nextCommand(): number {
    return this.#nextCommand
  }

  /** What is written under this id from now on, up to its result, belongs to this command. */
  expect(id: string, command: number): void {
    this.#commands.set(id, command)
  }

  /** Whether an id has its result; one of a dry run is another. */
  hasResult(id: string, dryRun = false): boolean {
    return this.#results.has(dryRun ? planKey(id) : id)
  }

  /** The first result of an id. Throws StorageError, Corruption. */
  result(id: string, dryRun = false): BranchEvent | undefined {
    const offset = this.#results.get(dryRun ? planKey(id) : id)
    return offset === undefined ? undefined : this.#read(offset)
  }

  /** What has begun and was neither finished nor given up. Throws StorageError, Corruption. */
  unfinished(): BranchEvent[] {
    return [...this.#begun.values()].filter(({ began }) => began).map(({ offset }) => this.#read(offset))
  }

  #read(offset: number): BranchEvent {
    const partition = this.#told.topic!.partitions[0]!
    const portion = readCommitted(partition, offset)
    const record = portion instanceof Refusal ? undefined : portion?.records.find((one) => one.offset === offset)
    const event = record && parse(record.value)
    if (event === undefined) throw new Corruption(`${branchesTopic} cannot be read at offset ${offset}`)
    return event
  }

  /** All events, oldest first. Throws StorageError, Corruption. */
  *events(): Generator<BranchEvent> {
    for (const { value } of this.#records()) {
      const event = parse(value)
      if (event !== undefined) yield event
    }
  }

  /** Tells an event; resolves when it is on stable storage. Rejects with StorageError. */
  async write(event: BranchEvent): Promise<BranchEvent> {
    await (await this.#append(event)).flushed
    return event
  }

  /**
   * Tells what the metadata log knows already, so that a start would tell it: whoever asked for it does not wait for a second
   * flush, and is not told that it failed when only this did. A command waits, for this is its result. What may be told with
   * others a little later (`isFrequent`) shares their batch.
   */
  async tell(event: BranchEvent, isFrequent = false): Promise<void> {
    const isAwaited = this.#commands.has(event.id)
    // The first of all makes the topic, and whoever asked for it finds it.
    if (isFrequent && !isAwaited && this.#told.topic !== undefined) {
      this.#tellSoon(event)
      return
    }
    try {
      const { flushed } = await this.#append(event)
      const told = flushed.catch((cause: unknown) => this.#untold(event, cause))
      if (isAwaited) await told
    } catch (cause) {
      this.#untold(event, cause)
    }
  }

  /** Whoever forks a hundred times a second should not pay for a hundred batches of what is known elsewhere. */
  #tellSoon(event: BranchEvent): void {
    this.#soon.push({ event, at: this.#broker.clock.now() })
    this.#soonTimer ??= this.#broker.clock.after(sharedMs, () => void this.#tellNow())
    const topics = this.#soon.reduce((sum, one) => sum + (one.event.topics?.length ?? 0), 0)
    if (topics >= sharedTopicsMax) void this.#tellNow()
  }

  /** What waits to be told is told and flushed when it resolves, or it is said that it could not be. */
  async #tellNow(): Promise<void> {
    // What fails is said for each by itself.
    await this.#append()
      .then(({ flushed }) => flushed)
      .catch(() => {})
  }

  /** One flush for all that forks have told within half a second: each has a thread work, and the disk, beside who produces. */
  #flushLate(partition: Partition): Promise<void> {
    if (this.#late?.partition === partition) return this.#late.flushed
    let begin = () => {}
    const waited = new Promise<void>((resolve) => {
      const timer = this.#broker.clock.after(lateMs, resolve)
      begin = () => {
        timer.cancel()
        resolve()
      }
    })
    const flushed = waited.then(() => {
      if (this.#late?.partition === partition) this.#late = undefined
      return partition.isRemoved ? undefined : partition.flush()
    })
    this.#late = { partition, flushed, begin }
    return flushed
  }

  #takeSoon(): Timed[] {
    this.#soonTimer?.cancel()
    this.#soonTimer = undefined
    return this.#soon.splice(0)
  }

  /** Resolves when nothing waits to be told any more, or to be flushed. */
  async stop(): Promise<void> {
    const told = this.#soon.length > 0 ? this.#tellNow() : undefined
    const late = this.#late
    late?.begin()
    await Promise.allSettled([told, late?.flushed])
  }

  #untold({ id, type }: BranchEvent, cause: unknown): void {
    console.error(`${branchesTopic} does not tell of the ${type} ${id}; the next start will: ${String(cause)}`)
  }

  /**
   * The event is in the log when this resolves, behind those that waited to be told, and its result counts when it is flushed.
   * Rejects with StorageError.
   */
  async #append(event?: BranchEvent): Promise<{ flushed: Promise<void> }> {
    const { topic = await this.#told.make() } = this.#told
    const partition = topic.partitions[0]!
    const waited = this.#takeSoon()
    const told = event === undefined ? waited : [...waited, { event, at: this.#broker.clock.now() }]
    if (told.length === 0) return { flushed: Promise.resolve() } // somebody took it along
    try {
      const { baseOffset } = partition.appendOwn(encodeBatch({ records: told.map((one) => this.#recordOf(one)) }))
      const commands = told.map((one) => this.#commands.get(one.event.id))
      const mayWait = event === undefined && !partition.isBehind
      const flushed = (mayWait ? this.#flushLate(partition) : partition.flush()).then(() => {
        if (partition.isRemoved) return // all topics went meanwhile
        told.forEach((one, i) => void this.#count(one.event, baseOffset + i, commands[i]))
      })
      flushed.catch((cause: unknown) => waited.forEach((one) => void this.#untold(one.event, cause)))
      return { flushed }
    } catch (cause) {
      for (const one of waited) this.#untold(one.event, cause)
      throw cause
    }
  }

  #recordOf({ event, at }: Timed) {
    const command = this.#commands.get(event.id)
    const headers = command === undefined ? [] : [{ key: commandHeader, value: String(command) }]
    return { key: event.id, value: JSON.stringify(event), timestamp: at, headers }
  }

  #count(event: BranchEvent, offset: number, command: number | undefined): void {
    this.#noted(event, offset, command)
    if (!isFinal(event)) return
    const what = `${event.type} ${event.status}`
    this.resultCounts.set(what, (this.resultCounts.get(what) ?? 0) + 1)
    for (const listener of this.#onResult) listener(event)
  }
}

function parse(value: Buffer | null): BranchEvent | undefined {
  if (value === null) return undefined
  try {
    return JSON.parse(value.toString()) as BranchEvent
  } catch {
    return undefined
  }
}

/** An error of the disk; anything else is our own mistake. */
export const isOfTheDisk = (cause: unknown): boolean =>
  cause instanceof StorageError || cause instanceof Corruption || cause instanceof DamagedRecords
