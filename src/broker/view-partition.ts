// One partition of a view: no log of its own, but records of another partition's at their offsets, as far as they are decided.
// Who handles partitions handles it like any other.

import { Corruption, DamagedRecords, Refusal, StorageError } from '../../protocol/errors.ts'
import { BatchRefusal, type Log, type OffsetAndTime } from '../log/log.ts'
import type { Producer } from '../log/producer-state.ts'
import { atEase, atOnce, Considerate, type Walk } from '../log/walk.ts'
import type { Revisions } from '../revision/revisions.ts'
import type { ViewConfig } from '../revision/view-config.ts'
import type { Clock } from '../storage/clock.ts'
import type { Store } from '../storage/file.ts'
import { Damages } from './damages.ts'
import type { Leadership } from './leadership.ts'
import { Partition, type ReadResult } from './partition.ts'
import type { PartitionConfig } from './partition-config.ts'
import { storageRefusal } from './storage-refusal.ts'
import type { Topic } from './topic.ts'
import { Sight } from './view-sight.ts'

/** What it shows, and of whom: both may change while it lives. */
export type Shown = { readonly view: ViewConfig; readonly source: Topic | undefined }

const nothing = Buffer.alloc(0)
/** In the place of a timestamp: which record is the youngest. */
const ofYoungest = -3
/** Whoever has asked for one takes the answer at once. */
const lookedUpMax = 64

type LookedUp = { readonly sight: Sight; readonly end: number; readonly offset: number | undefined }

const walkTo = (sight: Sight, timestamp: number): Walk<number | undefined> =>
  timestamp === ofYoungest ? sight.youngest() : sight.since(timestamp)

export class ViewPartition extends Partition {
  readonly #shown: () => Shown
  #seen: Sight | undefined
  /** Takes the place of the one before once it has looked at as much. */
  #coming: Sight | undefined
  /** What was looked up for whoever asks now. */
  readonly #lookedUp = new Map<number, LookedUp>()
  /** Where it ended when somebody last asked. */
  #end = 0
  readonly #watchers = new Set<() => void>()
  #unwatch: (() => void) | undefined
  #watched: Partition | undefined
  #isDue = false
  #wasBehind = false
  /** A delta that takes long: who asked for it has been given what comes before it. */
  #making: Promise<void> | undefined

  readonly #damages: Damages

  constructor(
    store: Store,
    clock: Clock,
    folder: string,
    index: number,
    config: PartitionConfig,
    leadership: Leadership,
    shown: () => Shown,
  ) {
    super(store, clock, folder, index, config, leadership)
    this.#shown = shown
    this.#damages = new Damages(`${folder}, a view,`)
  }

  // --- its source

  get #source(): Partition | undefined {
    return this.isRemoved ? undefined : this.#shown().source?.partitions[this.index]
  }

  /** Throws StorageError where there is none at the moment. */
  get #present(): Partition {
    const source = this.#source
    if (source !== undefined) return source
    throw new StorageError('ENOENT', `'${this.#shown().view.of}', of which this is a view, is not there`)
  }

  /** Looks at what is new in the source, a slice of it. Throws Corruption, StorageError. */
  #look(): { sight: Sight; isBehind: boolean } {
    const source = this.#present
    const { revisions } = source
    const seen = this.#seen
    if (seen?.revisions === revisions) return { sight: seen, isBehind: this.#advance(seen) }
    // Another index of the same log comes up behind the old one's back; of another log nothing old is right.
    if (this.#coming?.revisions !== revisions) {
      const { source: topic, view } = this.#shown()
      this.#coming = new Sight(topic!, source, view)
    }
    const coming = this.#coming!
    const isBehind = this.#advance(coming)
    if (isBehind && seen?.revisions.log === revisions.log) return { sight: seen, isBehind }
    this.#seen = coming
    this.#coming = undefined
    return { sight: coming, isBehind }
  }

  #advance(sight: Sight): boolean {
    const isBehind = sight.advance()
    if (isBehind) this.#schedule(true)
    // Records may have come up in front of the end, too.
    else if (this.#wasBehind && this.#watchers.size > 0) process.nextTick(() => this.#tell())
    this.#wasBehind = isBehind
    return isBehind
  }

  /** Where it ends. Whoever waits hears of it when that moves. */
  #endOf(sight: Sight): number {
    const { end } = sight
    if (end > this.#end && this.#watchers.size > 0) process.nextTick(() => this.#tell())
    this.#end = end
    return end
  }

  #tell(): void {
    for (const listener of [...this.#watchers]) listener()
  }

  // --- waiting

  /** Those who wait are told of records that it shows, not of all that its source gets. */
  override onAdvance(listener: () => void): () => void {
    const stop = super.onAdvance(listener)
    this.#watchers.add(listener)
    this.#watch()
    return () => {
      stop()
      this.#watchers.delete(listener)
      if (this.#watchers.size > 0) return
      this.#unwatch?.()
      this.#unwatch = undefined
      this.#watched = undefined
    }
  }

  #watch(): void {
    const source = this.#source
    if (source === this.#watched) return
    this.#unwatch?.()
    this.#watched = source
    this.#unwatch = source?.onAdvance(() => this.#schedule())
  }

  /** Looks again in a turn of its own: what many have appended is one look. Where much is left, others come in between. */
  #schedule(isLong = false): void {
    if (this.#isDue) return
    this.#isDue = true
    const look = () => {
      this.#isDue = false
      this.#lookAgain()
    }
    if (isLong) setTimeout(look, 1)
    else setImmediate(look)
  }

  #lookAgain(): void {
    if (this.isRemoved) return
    if (this.#watchers.size > 0) this.#watch()
    try {
      this.#endOf(this.#look().sight)
    } catch (cause) {
      if (!isExpected(this.#damages.say(cause))) throw cause
      // Who waits is told so when he looks.
      this.#tell()
    }
  }

  override ready(timestamp?: number): Promise<void> | undefined {
    try {
      const { sight, isBehind } = this.#look()
      const known = isBehind ? (this.#coming ?? sight).reach() : undefined
      const isName = timestamp === undefined || (timestamp < 0 && timestamp !== ofYoungest)
      if (!isName) return this.#lookUp(timestamp, known)
      return this.#making === undefined ? known : this.#making.then(() => known)
    } catch (cause) {
      if (!isExpected(this.#damages.say(cause))) throw cause
      return undefined
    }
  }

  /** Which record is meant by a time: it may lie behind many that are not. */
  async #lookUp(timestamp: number, known: Promise<void> | undefined): Promise<void> {
    await known
    const { sight } = this.#look()
    const offset = await atEase(walkTo(sight, timestamp), new Considerate().rest, () => this.isRemoved)
    if (this.#lookedUp.size >= lookedUpMax) this.#lookedUp.clear()
    this.#lookedUp.set(timestamp, { sight, end: sight.end, offset })
  }

  // --- what there is to read

  override read(offset: number, bytesMax: number, committed: boolean, wholeFirst: boolean): ReadResult | Refusal {
    this.uses++
    try {
      const { sight } = this.#look()
      // Whoever reads the view reads records of the source.
      sight.source.uses++
      const { logStartOffset, logEndOffset } = sight.source
      if (offset < logStartOffset || offset > logEndOffset) {
        const message = `Offset ${offset} is not within [${logStartOffset}, ${logEndOffset}].`
        return new Refusal('OFFSET_OUT_OF_RANGE', message)
      }
      const end = this.#endOf(sight)
      const bytes = offset < end ? sight.page(offset, bytesMax, wholeFirst) : nothing
      if (sight.isCut) {
        this.#wasBehind = true
        this.#schedule()
      }
      if (sight.isWanting) this.#make(sight)
      const lease = { bytes, release: () => {} }
      return { lease, logStartOffset, highWatermark: end, lastStableOffset: end, aborted: committed ? [] : undefined }
    } catch (cause) {
      return storageRefusal(this.#damages.say(cause))
    }
  }

  /** Tells those who wait when there is more to read. */
  #make(sight: Sight): void {
    this.#making ??= sight
      .make(() => this.isRemoved)
      .catch((cause: unknown) => {
        // Who asks again is told so.
        if (!isExpected(this.#damages.say(cause))) throw cause
      })
      .finally(() => {
        this.#making = undefined
        this.#tell()
      })
  }

  override get logStartOffset(): number {
    return this.#present.logStartOffset
  }

  override get logEndOffset(): number {
    return this.highWatermark
  }

  override get highWatermark(): number {
    return this.#endOf(this.#look().sight)
  }

  override get lastStableOffset(): number {
    return this.highWatermark
  }

  override offsetAt(timestamp: number, end: number): OffsetAndTime | undefined {
    const { sight } = this.#look()
    const known = this.#lookedUp.get(timestamp)
    this.#lookedUp.delete(timestamp)
    const isFresh = known?.sight === sight && known.end === sight.end && (known.offset ?? end) >= this.logStartOffset
    const offset = isFresh ? known.offset : atOnce(walkTo(sight, timestamp))
    return offset === undefined || offset >= end ? undefined : this.#described(sight, offset)
  }

  override maxTimestamp(): OffsetAndTime | undefined {
    return this.offsetAt(ofYoungest, Number.POSITIVE_INFINITY)
  }

  #described(sight: Sight, offset: number): OffsetAndTime {
    return { offset, timestamp: sight.timestampAt(offset), leaderEpoch: this.epochAt(offset) }
  }

  // --- who leads: whoever leads its source

  override get leadership(): Leadership {
    return this.#source?.leadership ?? super.leadership
  }

  override get leader(): number {
    return this.leadership.leader
  }

  override get leaderEpoch(): number {
    return this.leadership.epoch
  }

  override epochAt(offset: number): number {
    return this.#present.epochAt(offset)
  }

  override epochEnd(epoch: number): readonly [epoch: number, endOffset: number] {
    return this.#present.epochEnd(epoch)
  }

  override parting(lastFetchedEpoch: number, fetchOffset: number): readonly [number, number] | Refusal | undefined {
    try {
      return this.#present.parting(lastFetchedEpoch, fetchOffset)
    } catch (cause) {
      return storageRefusal(this.#damages.say(cause))
    }
  }

  // --- what it does not have

  /** Where that is: what is told of what is at rest may be old. */
  override get isOpen(): boolean {
    return this.#source?.isOpen ?? false
  }

  override get log(): Log {
    throw new StorageError('EINVAL', `a view of '${this.#shown().view.of}' has no log of its own`)
  }

  override get revisions(): Revisions {
    return this.#present.revisions
  }

  override get offline(): Error | undefined {
    if (this.isRemoved) return super.offline
    const source = this.#source
    return source === undefined ? new StorageError('ENOENT', 'the source of the view is not there') : source.offline
  }

  override get byteCount(): number {
    return 0
  }

  override get isBehind(): boolean {
    return false
  }

  override hasOpenTransaction(): boolean {
    return false
  }

  override producers(): IterableIterator<[producerId: number, producer: Readonly<Producer>]> {
    return new Map<number, Producer>().entries()
  }

  override append(): BatchRefusal {
    return new BatchRefusal('INVALID_TOPIC_EXCEPTION', this.#readOnly)
  }

  override async appendMarker(): Promise<Refusal> {
    return new Refusal('INVALID_TOPIC_EXCEPTION', this.#readOnly)
  }

  get #readOnly(): string {
    const { of } = this.#shown().view
    return `This is a view of '${of}' and takes no records: produce to '${of}'.`
  }

  override async flush(): Promise<void> {}
}

const isExpected = (cause: unknown): boolean =>
  cause instanceof StorageError || cause instanceof Corruption || cause instanceof DamagedRecords
