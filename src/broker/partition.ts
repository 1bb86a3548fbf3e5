// One partition as its leader sees it: a log, the point up to which it may be read, and those who wait for more.

import { Corruption, DamagedRecords, Refusal, StorageError } from '../../protocol/errors.ts'
import type { Records } from '../../protocol/reader.ts'
import type { Pins } from '../log/compaction.ts'
import type { Inherited, Lost } from '../log/inherited.ts'
import { type Appended, BatchRefusal, Log, type OffsetAndTime } from '../log/log.ts'
import type { MarkerSource, Producer } from '../log/producer-state.ts'
import type { BroughtAt } from '../log/retention.ts'
import type { Revisions } from '../revision/revisions.ts'
import { type Clock, hasPassed } from '../storage/clock.ts'
import type { Store } from '../storage/file.ts'
import { isShortage, retryMs } from '../storage/shortage.ts'
import { Damages } from './damages.ts'
import { Gate } from './gate.ts'
import { type Leadership, ledBy } from './leadership.ts'
import type { PartitionConfig } from './partition-config.ts'
import { PartitionRevisions } from './partition-revisions.ts'
import type { ReadResult } from './read-result.ts'
import { RefusedWrites } from './refused-writes.ts'
import { storageRefusal } from './storage-refusal.ts'

export type { ReadResult } from './read-result.ts'

/** Long.MAX_VALUE as a number. */
const never = 2 ** 63

/** How a transaction ends. */
export type Ending = MarkerSource & { type: 'COMMIT' | 'ABORT' }

export class Partition {
  readonly index: number
  gate = new Gate()
  /** Of records that merges have brought. */
  broughtAt: BroughtAt = () => -1
  /** Records that compaction leaves to a branch for its parent's sake. */
  pins: () => Pins | undefined = () => undefined
  /** Offsets that keep rules spare: where the views of it end. */
  spared: () => Promise<readonly number[]> = async () => []
  /** Called when there is something to flush where there was nothing. */
  noteDirty: (partition: Partition) => void = () => {}
  readonly #store: Store
  readonly #clock: Clock
  readonly #config: PartitionConfig
  readonly #folder: string
  #inherited: Inherited | undefined
  readonly #onLost: ((lost: Lost) => void) | undefined
  #leadership: Leadership
  #log: Log | undefined
  #offline: Corruption | StorageError | undefined
  #shortSince = Number.NaN // a disk that was full may have room a while later
  readonly #damages: Damages
  readonly #refusedWrites = new RefusedWrites()
  #removed = false
  readonly #waiting = new Set<() => void>()
  readonly numbering: PartitionRevisions
  #dirtySince: number | undefined
  #outlived = 0 // where the log ended when it was opened
  /** Where it ended when it got a name that another had: producers number their batches on from what they sent to that one. */
  namedFrom = 0
  /** Grows with every request that writes or reads here. */
  uses = 0

  constructor(
    store: Store,
    clock: Clock,
    folder: string,
    index: number,
    config: PartitionConfig,
    leadership: Leadership = ledBy(1),
    inherited?: Inherited,
    onLost?: (lost: Lost) => void,
  ) {
    this.#onLost = onLost
    this.#inherited = inherited
    this.#leadership = leadership
    this.#store = store
    this.#clock = clock
    this.#folder = folder
    this.index = index
    this.#config = config
    this.#damages = new Damages(folder)
    this.numbering = new PartitionRevisions(store, folder, () => this.lastStableOffset, config)
  }

  /** Opened at the first use. Throws Corruption or StorageError, and then the partition stays offline: where the disk was full, a while. */
  get log(): Log {
    return this.#log !== undefined && this.#offline === undefined ? this.#log : this.#open()
  }

  #open(): Log {
    const mayRetry = !this.#removed && hasPassed(retryMs, this.#shortSince, this.#clock.now())
    if (this.#offline !== undefined && !mayRetry) throw this.#offline
    if (this.#log !== undefined) return this.#log
    try {
      const log = new Log(this.#store, this.#folder, this.#config, this.#inherited)
      this.#log = log
      this.#outlived = log.logEndOffset
      log.producers.forgetBelow(this.namedFrom)
      this.numbering.attach(log)
      if (this.leaderEpoch > 0) this.#beginEpoch()
      for (const lost of log.lost) this.#onLost?.(lost)
      // What outlived a kill was perhaps never flushed; the promise of the topic holds for it too.
      if (log.flushedOffset !== log.logEndOffset) {
        this.#soil(this.#clock.now())
        if (this.isBehind) this.#flushInBackground()
      }
      this.#offline = undefined
      return log
    } catch (cause) {
      throw this.#fail(cause)
    }
  }

  /** Whether the log was opened: a topic that nobody uses is not. */
  get isOpen(): boolean {
    return this.#log !== undefined
  }

  /** Whether a branch may have been written to. */
  get hasOwnFiles(): boolean {
    const { ownFrom } = this.#inherited ?? { ownFrom: 0 }
    return this.#store
      .list(this.#folder)
      .some((name) => /\.(log|pack)$/.test(name) && Number.parseInt(name, 10) >= ownFrom)
  }

  /** Bytes of records on the disk. What was never written is not opened for it. Throws Corruption, StorageError. */
  get byteCount(): number {
    const isWritten = this.isOpen || this.#store.list(this.#folder).length > 0
    return isWritten ? this.log.byteCount : 0
  }

  /** Why the partition cannot be used; undefined while it can. */
  get offline(): Error | undefined {
    return this.#offline
  }

  #fail(cause: unknown): unknown {
    if (cause instanceof DamagedRecords) this.#damages.say(cause)
    if (cause === this.#offline) return cause // whoever asks again does not begin the wait anew
    if (cause instanceof Corruption || (cause instanceof StorageError && this.#log === undefined)) {
      if (this.#offline === undefined) console.error(`Partition ${this.#folder} is offline: ${cause.message}`)
      this.#offline = cause
      this.#shortSince = isShortage(cause) ? this.#clock.now() : Number.NaN
    }
    return cause
  }

  /** Who has the partition; for all nodes of the cluster it is this one object. */
  get leadership(): Leadership {
    return this.#leadership
  }

  /** The node that leads, or `noLeader`. */
  get leader(): number {
    return this.#leadership.leader
  }

  get leaderEpoch(): number {
    return this.#leadership.epoch
  }

  get minInsyncReplicas(): number {
    return this.#config.minInsyncReplicas
  }

  /** From now on others have it. Those who wait for more look again, for they may wait at the wrong node. */
  lead(leadership: Leadership): void {
    const isNew = leadership.epoch !== this.#leadership.epoch
    this.#leadership = leadership
    if (!isNew) return
    this.#beginEpoch()
    this.#wake()
  }

  /** What was appended so far ends the epochs before this one, whether or not it ever writes. */
  #beginEpoch(): void {
    this.#log?.epochs.assign(this.leaderEpoch, this.#log.logEndOffset)
  }

  get logStartOffset(): number {
    return this.log.logStartOffset
  }

  get logEndOffset(): number {
    return this.log.logEndOffset
  }

  /**
   * What may be read: all that is appended, or all that is flushed where every batch is. `<= logEndOffset`. What has outlived a kill
   * may at once, though it is flushed again first of all: most of it was acknowledged, and the end of a log never goes back.
   */
  get highWatermark(): number {
    const { log } = this
    return this.#config.flushMessages === 1 ? Math.max(log.flushedOffset, this.#outlived) : log.logEndOffset
  }

  /** Below it every transaction is decided, and the word that decided it may be read. `<= highWatermark`. */
  get lastStableOffset(): number {
    const { highWatermark, log } = this
    const unstable = log.producers.transactions.firstUnstable(highWatermark)
    return unstable >= highWatermark ? highWatermark : Math.max(unstable, log.logStartOffset)
  }

  /** Whether the producer has a transaction open here, in just this epoch: nothing needs to be verified then. */
  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    return this.log.producers.hasOpenTransaction(producerId, producerEpoch)
  }

  /** What is remembered of producers, by id. */
  producers(): IterableIterator<[producerId: number, producer: Readonly<Producer>]> {
    return this.log.producers.entries()
  }

  /**
   * Where the history of an epoch ends, and which epoch that is: -1 twice where nobody knows. An epoch that has written
   * nothing yet is known all the same: it is the leader's. Before the first epoch there was nothing.
   */
  epochEnd(epoch: number): readonly [epoch: number, endOffset: number] {
    if (epoch === -1) return [-1, -1]
    if (epoch === this.leaderEpoch) return [epoch, this.logEndOffset]
    return epoch < 0 ? [epoch, this.logStartOffset] : this.log.epochEnd(epoch)
  }

  /** The epoch of the record at an offset, or of the one before it; -1 where nobody knows. */
  epochAt(offset: number): number {
    return this.log.epochs.epochAt(offset)
  }

  /** The first record below `end` whose timestamp is `timestamp` or later. */
  offsetAt(timestamp: number, end: number): OffsetAndTime | undefined {
    return this.log.offsetAt(timestamp, end)
  }

  /** The first record with the largest timestamp. */
  maxTimestamp(): OffsetAndTime | undefined {
    return this.log.maxTimestamp()
  }

  /** Resolves when it can tell where it ends, and which record is of a time (-3: the youngest); undefined where it can. */
  ready(_timestamp?: number): Promise<void> | undefined {
    return undefined
  }

  /** Every revision of every key: made when somebody asks, known up to where it stopped last (`ready`, `catchUp`). */
  get revisions(): Revisions {
    return this.numbering.of(this.log)
  }

  /** Appends a producer's batch. A refusal and a disk that refuses are answers; nothing has changed then. */
  append(records: Records, produceVersion: number): Appended | BatchRefusal {
    this.uses++
    try {
      const now = this.#clock.now()
      const appended = this.log.append(records, { leaderEpoch: this.leaderEpoch, now, produceVersion })
      if (!(appended instanceof BatchRefusal) && !appended.duplicate) this.#advanced(now)
      return appended
    } catch (cause) {
      return storageRefusal(this.#fail(this.#refusedWrites.say(cause, this.#log, this.#clock.now())))
    }
  }

  /** Appends a batch that the broker made. Throws StorageError, Corruption. */
  appendOwn(bytes: Buffer): Appended {
    const now = this.#clock.now()
    const appended = this.log.appendOwn(bytes, { leaderEpoch: this.leaderEpoch, now })
    this.#advanced(now)
    return appended
  }

  /** Ends a transaction here; resolves when its marker is as durable as the topic promises. */
  async appendMarker(ending: Ending): Promise<Refusal | undefined> {
    try {
      const now = this.#clock.now()
      const appended = this.log.appendMarker({ ...ending, timestamp: now }, { leaderEpoch: this.leaderEpoch, now })
      if (appended instanceof Refusal) return appended
      this.#advanced(now)
      this.log.producers.transactions.settle(this.highWatermark)
      await this.flushed()
      return undefined
    } catch (cause) {
      return storageRefusal(this.#fail(this.#refusedWrites.say(cause, this.#log, this.#clock.now())))
    }
  }

  #advanced(now: number): void {
    if (this.#dirtySince === undefined) this.#soil(now)
    if (this.#config.flushMessages > 1) this.#wake()
  }

  #soil(now: number): void {
    this.#dirtySince = now
    this.noteDirty(this)
  }

  /** Keeps the promise of `flush.messages` for what was appended before; undefined where there is nothing to wait for. */
  flushed(): Promise<void> | undefined {
    return this.isBehind ? this.flush() : undefined
  }

  /** Whether an acknowledgement has to wait for a flush. */
  get isBehind(): boolean {
    const { logEndOffset, flushedOffset } = this.log
    return logEndOffset - flushedOffset >= this.#config.flushMessages
  }

  /** Whether the topic promises anything of a power cut. */
  get promisesFlush(): boolean {
    return this.#config.flushMessages < never || this.#config.flushMs < never
  }

  /** Brings everything that is appended to stable storage. Rejects with StorageError. */
  async flush(): Promise<void> {
    this.#dirtySince = undefined
    await this.log.flush()
    if (this.#config.flushMessages === 1) this.#wake()
  }

  /** Flushes in the background what has waited for `flush.ms`; false where nothing waits. */
  flushIfDue(now: number): boolean {
    if (this.#dirtySince === undefined || this.#log === undefined) return false
    if (hasPassed(this.#config.flushMs, this.#dirtySince, now)) this.#flushInBackground()
    return true
  }

  #flushInBackground(): void {
    this.flush().catch((cause: unknown) => console.error(`Flush of ${this.#folder} failed: ${String(cause)}`))
  }

  /** Where a reader's history leaves ours, if it does: the last epoch of its records that we know too, and its end. Refused where we know none (KIP-320). */
  parting(lastFetchedEpoch: number, fetchOffset: number): readonly [number, number] | Refusal | undefined {
    try {
      const [epoch, endOffset] = this.epochEnd(lastFetchedEpoch)
      if (epoch === -1) {
        return new Refusal('OFFSET_OUT_OF_RANGE', `Nothing is known of epoch ${lastFetchedEpoch} or any before it.`)
      }
      return epoch < lastFetchedEpoch || endOffset < fetchOffset ? [epoch, endOffset] : undefined
    } catch (cause) {
      return storageRefusal(this.#fail(cause))
    }
  }

  /**
   * Reads batches from an offset on; `committed` stops at the last stable offset. `sound`: they are held against their checksums,
   * for whoever acts on them and is no client that does so itself.
   */
  read(offset: number, bytesMax: number, committed: boolean, wholeFirst: boolean, sound = false): ReadResult | Refusal {
    this.uses++
    try {
      const { log, highWatermark, lastStableOffset } = this
      const { logStartOffset } = log
      if (offset < logStartOffset || offset > log.logEndOffset) {
        const message = `Offset ${offset} is not within [${logStartOffset}, ${log.logEndOffset}].`
        return new Refusal('OFFSET_OUT_OF_RANGE', message)
      }
      const bound = committed ? lastStableOffset : highWatermark
      const lease = sound
        ? log.read(offset, bytesMax, bound, wholeFirst)
        : log.serve(offset, bytesMax, bound, wholeFirst)
      const aborted = committed ? log.abortedAmong(lease.bytes, offset, bound) : undefined
      return { lease, logStartOffset, highWatermark, lastStableOffset, aborted }
    } catch (cause) {
      return storageRefusal(this.#fail(cause))
    }
  }

  /** Calls `listener` whenever there is more to read, and when the partition is removed; until the returned function is called. */
  onAdvance(listener: () => void): () => void {
    this.#waiting.add(listener)
    return () => this.#waiting.delete(listener)
  }

  #wake(): void {
    if (this.#waiting.size === 0) return
    for (const listener of [...this.#waiting]) listener()
  }

  get isRemoved(): boolean {
    return this.#removed
  }

  /** Flushes and lets files go. What failed before leaves no clean end: the next start looks at every byte. */
  async close(): Promise<void> {
    const failed = this.#offline !== undefined || this.#log?.failure !== undefined
    try {
      if (!failed) await this.#log?.close()
    } finally {
      this.#log?.release()
      this.#log = undefined
    }
  }

  /** Lets go of files that are about to be replaced, in this turn, by others that hold all of it and more. */
  replaceFiles(inherited: Inherited): void {
    this.#log?.release()
    this.#log = undefined
    this.#dirtySince = undefined
    this.#inherited = inherited
  }

  /** Lets the files go where that loses nothing: all that is appended is noted, and nobody waits for more. */
  rest(): void {
    if (this.#log === undefined || this.#waiting.size > 0 || !this.#log.isNoted || this.isBehind) return
    this.#log.release()
    this.#log = undefined
    this.#dirtySince = undefined
  }

  /** The topic is deleted: readers that wait are told, files are let go. */
  remove(): void {
    this.#removed = true
    this.#log?.release()
    this.#log = undefined
    this.#offline = new StorageError('ENOENT', `${this.#folder} is removed`)
    this.#wake()
  }
}
