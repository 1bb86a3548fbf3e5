// What a broker does for its partitions while nobody asks: retention, compaction, packing, flushes that are due.

import { Corruption, DamagedRecords, ProtocolViolation, StorageError } from '../../protocol/errors.ts'
import { CompressionError, UnsupportedCompression } from '../../protocol/records/compression-error.ts'
import { shortRest } from '../log/walk.ts'
import type { Clock } from '../storage/clock.ts'
import type { Store } from '../storage/file.ts'
import type { BrokerConfig } from './broker-config.ts'
import { Packing } from './packing.ts'
import type { Partition } from './partition.ts'
import type { Topic } from './topic.ts'

/** Of one log; the others go on. */
const housekeepingFailures = [
  StorageError,
  Corruption,
  DamagedRecords,
  ProtocolViolation,
  CompressionError,
  UnsupportedCompression,
]

/** Logs that are opened in one turn. */
const closedAtOnce = 16

export class Housekeeping {
  readonly #clock: Clock
  readonly #config: BrokerConfig
  readonly packing: Packing
  readonly #topics: () => Iterable<Topic>
  #compacting: Promise<void> | undefined
  #retaining: Promise<void> | undefined
  /** Those with bytes that are not flushed; they add themselves. Thousands that rest are not asked ten times a second. */
  readonly #dirty = new Set<Partition>()
  #isOver = false

  constructor(environment: { store: Store; clock: Clock; config: BrokerConfig }, topics: () => Iterable<Topic>) {
    this.#clock = environment.clock
    this.#config = environment.config
    this.#topics = topics
    this.packing = new Packing(environment, topics)
  }

  /** With a log of their own: views have none. */
  *partitions(): Generator<Partition> {
    for (const topic of this.#topics()) if (topic.config.view === undefined) yield* topic.partitions
  }

  /** Retention of every log, unless a round is still under way. */
  retain(): void {
    this.#retaining ??= this.#retainAll()
      .catch((cause: unknown) => console.error('Retention failed:', cause))
      .finally(() => {
        this.#retaining = undefined
      })
  }

  /** A log that nobody has touched is opened for it and let go again: a thousand branches stay as idle as they were. */
  async #retainAll(): Promise<void> {
    const partitions = [...this.partitions()]
    const closed = partitions.filter(({ isOpen }) => !isOpen)
    for (const partition of partitions) {
      if (!partition.isOpen) continue
      const counted = this.#countAhead(partition)
      if (counted !== undefined) await counted
      if (this.#isOver) return
      if (partition.isOpen && !partition.isRemoved) this.#retainOne(partition)
    }
    for (const [i, partition] of closed.entries()) {
      if (i % closedAtOnce === 0) await shortRest()
      if (this.#isOver) return
      if (partition.isRemoved) continue
      const wasOpen = partition.isOpen
      this.#retainOne(partition)
      if (!wasOpen) partition.rest()
    }
  }

  /** What retention takes of a log may have to be counted before, which takes its time. */
  #countAhead({ numbering, broughtAt }: Partition): Promise<void> | undefined {
    const complain = (cause: unknown): void => {
      if (!housekeepingFailures.some((kind) => cause instanceof kind)) throw cause
    }
    try {
      // Whoever takes it says why it cannot be.
      return numbering.countAhead(this.#clock.now(), broughtAt)?.catch(complain)
    } catch (cause) {
      complain(cause)
      return undefined
    }
  }

  #retainOne(partition: Partition): void {
    // What a merge is about to put in the place of these files has not lost what they lose; the next round comes.
    if (partition.gate.closed !== undefined) return
    const now = this.#clock.now()
    try {
      partition.log.retain(now, partition.broughtAt)
      partition.log.producers.expire(now, this.#config.number('producer.id.expiration.ms'))
    } catch (cause) {
      // A partition that is offline has said so.
      if (cause instanceof Corruption) return
      if (!housekeepingFailures.some((kind) => cause instanceof kind)) throw cause
      console.error(`Retention: ${(cause as Error).message}`)
    }
  }

  /** A round of compaction, unless one is still under way. */
  compact(): void {
    this.#compacting ??= this.#compactAll()
      .catch((cause: unknown) => console.error('Compaction failed:', cause))
      .finally(() => {
        this.#compacting = undefined
      })
  }

  /** Open logs that ask for it, one after the other. */
  async #compactAll(): Promise<void> {
    const isOver = () => this.#isOver
    for (const partition of [...this.partitions()]) {
      if (isOver()) return
      if (!partition.isOpen || partition.isRemoved) continue
      try {
        const turns = { seed: this.#clock.random(32), rest: shortRest, isOver }
        await partition.log.compact(this.#clock.now(), turns, partition.pins())
      } catch (cause) {
        if (!housekeepingFailures.some((kind) => cause instanceof kind)) throw cause
        console.error(`Compaction of ${partition.log.folder}: ${(cause as Error).message}`)
      }
    }
  }

  readonly noteDirty = (partition: Partition): void => {
    this.#dirty.add(partition)
  }

  readonly noteSealed = (topic: Topic, partition: Partition): void => {
    if (topic.packs !== undefined) this.packing.wake(topic, partition)
  }

  flushDue(): void {
    const now = this.#clock.now()
    for (const partition of this.#dirty) if (!partition.flushIfDue(now)) this.#dirty.delete(partition)
  }

  /** Resolves when nothing is under way any more; what is being compacted is left as it is. */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all([this.#compacting, this.#retaining, this.packing.end()])
  }
}
