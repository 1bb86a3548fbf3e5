// One history: batches in the order of their offsets, appended at the end, read from anywhere. The only place that
// assigns offsets. It never hears of topics, leaders or clients.

import type { Refusal, StorageError } from '../../protocol/errors.ts'
import { type Records, recordsLength } from '../../protocol/reader.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeMarker, type Marker } from '../../protocol/records/control.ts'
import type { Lease, Store } from '../storage/file.ts'
import { Checkpointing } from './checkpointing.ts'
import { type Pins, steadyTurns } from './compaction.ts'
import { Flushing } from './flushing.ts'
import { type Appended, type AppendOptions, BatchRefusal, checkSize, checkStaged, repack, unplace } from './incoming.ts'
import { type Inherited, type Lost, lostUpTo, ownPrefix } from './inherited.ts'
import type { EpochEntry, LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { abortedAmong, abortedIn, readSegments } from './log-reading.ts'
import { workOn } from './log-work.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import { saveSnapshot } from './producer-snapshot.ts'
import type { MarkerSource, ProducerState, Verdict } from './producer-state.ts'
import { type Recovered, recover } from './recovery.ts'
import { Removing } from './removing.ts'
import type { BroughtAt } from './retention.ts'
import { Rewriting, type RewrittenFile } from './rewriting.ts'
import { isOver } from './rolling.ts'
import { Segment } from './segment.ts'
import { largestTime, searchTime } from './time-search.ts'
import { whereRoom } from './where-room.ts'

export { type Appended, type AppendOptions, BatchRefusal }

export type OffsetAndTime = { offset: number; timestamp: number; leaderEpoch: number }

export class Log {
  readonly folder: string
  readonly #store: Store
  readonly #config: LogConfig
  /** Ascending; the last is the active one. Empty while the log was never written. */
  #segments: Segment[]
  #epochs: LeaderEpochs
  #logStartOffset: number
  #logEndOffset: number
  #producers: ProducerState
  readonly #flushing: Flushing
  readonly #checkpointing: Checkpointing
  readonly #rewriting: Rewriting
  readonly #removing: Removing
  readonly #inherited: Inherited | undefined
  readonly #shared: Recovered['shared']
  #released = false
  #filesVersion = 0
  /** Called before files go for good, with the offset where what stays begins, and when a segment is closed. */
  readonly hooks: { beforeRemoval?: (upTo: number) => void; onRoll?: () => void } = {}
  readonly recovered: { scannedBytes: number; cutBytes: number }

  /** Opens the log in `folder`; a missing folder is an empty log. `inherited`: of one that forkLog made, its answer. */
  constructor(store: Store, folder: string, config: LogConfig, inherited?: Inherited) {
    this.folder = folder
    this.#store = store
    this.#config = config
    this.#inherited = inherited
    const since = performance.now()
    const found = recover(store, folder, config, inherited)
    this.#segments = found.segments
    this.#epochs = found.epochs
    this.#producers = found.producers
    this.#logEndOffset = found.segments.at(-1)?.nextOffset ?? found.logStartOffset
    this.#logStartOffset = Math.min(found.logStartOffset, this.#logEndOffset)
    this.#flushing = new Flushing(store, this, this.#logEndOffset)
    this.#shared = found.shared
    this.#checkpointing = new Checkpointing(store, this, this.#flushing, found, inherited)
    const replaceSegments = (segments: Segment[]) => {
      this.#segments = segments
      this.#filesVersion++
    }
    const fork = { isFork: inherited !== undefined, ownFrom: inherited?.ownFrom ?? 0 }
    const own = { flushing: this.#flushing, checkpointing: this.#checkpointing, replaceSegments }
    this.#rewriting = new Rewriting(store, this, { config, ...own, ...fork }, found)
    const dropFirst = () => {
      this.#filesVersion++
      return this.#segments.shift()!
    }
    const startAt = (at: number) => this.#startAt(at)
    this.#removing = new Removing(store, this, { config, ...own, startAt, dropFirst })
    this.recovered = { scannedBytes: found.scannedBytes, cutBytes: found.cutBytes }
    const work = workOn(store)
    work.openings.note(performance.now() - since)
    work.scannedBytes += found.scannedBytes
    work.cutBytes += found.cutBytes
    if (found.scannedBytes > 0) this.#flushing.distrust(found.checkpoint?.recovered.offset ?? 0)
  }

  /** What a power cut took of what is shared with others. */
  get lost(): readonly Lost[] {
    return this.#shared.lost
  }

  /** Where each of the logs that this one was forked through began its own files, and this one. */
  get seams(): readonly number[] {
    return this.#inherited === undefined ? [] : [...this.#inherited.seams, this.#inherited.ownFrom]
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  get logEndOffset(): number {
    return this.#logEndOffset
  }

  /** Everything below is on stable storage, as far as this process knows. */
  get flushedOffset(): number {
    return this.#flushing.flushedOffset
  }

  /** A flush failed: nothing is appended any more. */
  get failure(): StorageError | undefined {
    return this.#flushing.failure
  }

  /** The same, and what is shared too was on stable storage when it was forked or has outlived a power cut. */
  get securedOffset(): number {
    return this.#shared.isSettled ? this.flushedOffset : Math.min(this.flushedOffset, this.#inherited!.flushedOffset)
  }

  /** Everything below was compacted at least once. */
  get compactedOffset(): number {
    return this.#rewriting.compactedOffset
  }

  /** Everything below was compacted as far as it goes. `<= compactedOffset`. */
  get cleanOffset(): number {
    return this.#rewriting.cleanOffset
  }

  get producers(): ProducerState {
    return this.#producers
  }

  get epochs(): LeaderEpochs {
    return this.#epochs
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** Grows when files below the active one are replaced by others, or go. */
  get filesVersion(): number {
    return this.#filesVersion
  }

  /** Bytes of batches in all segments, as the disk holds them. */
  get byteCount(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.storedBytes, 0)
  }

  /** It was let go: its files may be others' by now. */
  get isReleased(): boolean {
    return this.#released
  }

  /**
   * Appends the one batch that a producer sent. Its bytes are copied once, into the place where they stay; they are
   * checked there and become part of the log by the end moving over them. Throws StorageError, then nothing has changed.
   */
  append(records: Records, options: AppendOptions): Appended | BatchRefusal {
    const byteCount = recordsLength(records)
    const badSize = checkSize(byteCount, this.#config)
    if (badSize !== undefined) return badSize
    const segment = this.#room(byteCount, options.now)
    unplace(records)
    const staged = segment.file.stage(records)
    const refusal = checkStaged(staged, this.#config, options.now, options.produceVersion)
    if (refusal !== undefined) {
      segment.file.drop()
      return refusal
    }
    if (batch.hasProducerId(staged, 0)) {
      const verdict = this.#producers.check(staged, 0, options.produceVersion)
      if (verdict.kind !== 'new') segment.file.drop()
      if (verdict.kind === 'refused') return new BatchRefusal(verdict.refusal.error, verdict.refusal.message)
      if (verdict.kind === 'duplicate') return this.#duplicate(verdict)
    }
    const { codec } = this.#config
    if (codec !== undefined && codec !== batch.codec(staged, 0)) {
      const packed = repack(staged, codec)
      segment.file.drop()
      // Unpacked, or packed less well, it may be larger than what was sent.
      return checkSize(packed.length, this.#config) ?? this.appendOwn(packed, options)
    }
    return this.#commit(segment, staged, options)
  }

  /** Appends a batch that the broker made itself: no client limits, no sequence check. */
  appendOwn(bytes: Buffer, options: AppendOptions): Appended {
    const segment = this.#room(bytes.length, options.now)
    batch.setBaseOffset(bytes, 0, batch.unplaced)
    return this.#commit(segment, segment.file.stage(bytes), options)
  }

  /** Ends a producer's transaction: a marker of its own batch (KIP-98). Refused where another epoch is in charge. */
  appendMarker(marker: Marker & MarkerSource, options: AppendOptions): Appended | Refusal {
    return this.#producers.checkMarker(marker) ?? this.appendOwn(encodeMarker(marker), options)
  }

  #duplicate({ firstOffset: baseOffset, lastOffset, timestamp }: Extract<Verdict, { kind: 'duplicate' }>): Appended {
    return { baseOffset, lastOffset, logAppendTimeMs: this.#config.logAppendTime ? timestamp : -1, duplicate: true }
  }

  #commit(segment: Segment, staged: Buffer, { leaderEpoch, now }: AppendOptions): Appended {
    const baseOffset = this.#logEndOffset
    if (this.#config.logAppendTime) batch.setLogAppendTime(staged, 0, now)
    batch.setPartitionLeaderEpoch(staged, 0, leaderEpoch)
    if (segment.isEmpty) this.#flushing.namesChanged = true
    // Last: until now it is unplaced, and a kill leaves nothing of it.
    batch.setBaseOffset(staged, 0, baseOffset)
    segment.commit(staged, this.#config.indexIntervalBytes, now)
    this.#logEndOffset = segment.nextOffset
    this.#epochs.assign(leaderEpoch, baseOffset)
    const aborted = this.#producers.note(staged, 0, now)
    if (aborted !== undefined) segment.noteAborted(aborted)
    const logAppendTimeMs = this.#config.logAppendTime ? now : -1
    return { baseOffset, lastOffset: this.#logEndOffset - 1, logAppendTimeMs, duplicate: false }
  }

  /** The segment that takes the next `byteCount` bytes. */
  #room(byteCount: number, now: number): Segment {
    if (this.failure !== undefined) throw this.failure
    const active = this.#segments.at(-1)
    if (active === undefined) return this.#begin()
    return isOver(active, byteCount, this.#config, now) ? this.roll() : active
  }

  #begin(): Segment {
    const { segmentBytes } = this.#config
    const segment = new Segment(this.#store, ownPrefix(this.folder), this.#logEndOffset, segmentBytes, false)
    this.#segments.push(segment)
    return segment
  }

  #startAt(offset: number): void {
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.#epochs.startAt(offset)
  }

  /** Closes the active segment and begins a new one at the log end. */
  roll(): Segment {
    const active = this.#segments.at(-1)
    if (active?.isEmpty) return active
    const next = this.#begin()
    if (active !== undefined) {
      this.#flushing.unflushed.add(active)
      whereRoom(() => active.saveIndex())
      whereRoom(() => saveSnapshot(this.#store, this.folder, this.#logEndOffset, this.#producers))
      // Sealed after the flush, which needs the descriptor. A file remembers that one failed and refuses the next append.
      const noted = this.flush().then(() => this.saveCheckpoint(false))
      noted.catch(() => {})
      this.hooks.onRoll?.()
    }
    return next
  }

  /** Batches from an offset on that are what was written. The caller has held the offset against the bounds. Throws DamagedRecords. */
  read(offset: number, bytesMax: number, bound: number, wholeFirst: boolean): Lease {
    return readSegments(this.#segments, offset, bytesMax, bound, wholeFirst, this.#mayMiss, { isOurselves: true })
  }

  /** The same for whoever knows checksums too; what lies packed comes in the codec that the topic names (extensions §2.4). */
  serve(offset: number, bytesMax: number, bound: number, wholeFirst: boolean): Lease {
    const { codec: packedCodec = 0 } = this.#config
    return readSegments(this.#segments, offset, bytesMax, bound, wholeFirst, this.#mayMiss, { packedCodec })
  }

  /** Compaction and keep rules leave holes, and of what is shared a power cut may have taken something. */
  readonly #mayMiss = (offset: number): boolean => offset < Math.max(this.compactedOffset, lostUpTo(this.lost))

  /** Transactions taken back that touch what a read of `[from, upTo)` gives. */
  abortedTransactions(from: number, upTo: number): AbortedTransaction[] {
    return this.#producers.hasSeenTransactions ? abortedIn(this.#segments, from, upTo) : []
  }

  /** The same of the bytes that a read of offsets below `bound` gave. */
  abortedAmong(bytes: Buffer, from: number, bound: number): AbortedTransaction[] {
    return bytes.length === 0 ? [] : abortedAmong(this.abortedTransactions(from, bound), bytes, from)
  }

  /** The first record below `bound` whose timestamp is `timestamp` or later. */
  offsetAt(timestamp: number, bound: number): OffsetAndTime | undefined {
    const record = searchTime(this.#segments, timestamp, this.#logStartOffset, bound)
    return record && { ...record, leaderEpoch: this.#epochs.epochAt(record.offset) }
  }

  /** The first record with the largest timestamp of the log (ListOffsets -3, KIP-734). */
  maxTimestamp(): OffsetAndTime | undefined {
    const largest = largestTime(this.#segments, this.#logStartOffset)
    return largest < 0 ? undefined : this.offsetAt(largest, this.#logEndOffset)
  }

  /** Where the history of an epoch ends (OffsetForLeaderEpoch). */
  epochEnd(epoch: number): EpochEntry {
    return this.#epochs.endOf(epoch, this.#logEndOffset)
  }

  /** Moves the log start up; whole segments below it go. The caller has held the offset against the bounds. Throws StorageError. */
  deleteBelow(offset: number): void {
    this.#removing.deleteBelow(offset)
  }

  /** Applies retention by time and by bytes; answers how many segments went. */
  retain(now: number, broughtAt?: BroughtAt): number {
    return this.#removing.retain(now, broughtAt)
  }

  /**
   * Removes records whose key has a newer one, where there is enough to gain. Works in slices, beside appends and reads;
   * segments are replaced whole, by new files.
   */
  compact(now: number, turns = steadyTurns, pins?: Pins): Promise<void> {
    return this.#rewriting.compact(now, turns, pins)
  }

  /** Sealed segments from the first on that may be packed now, packed ones among them. */
  get packable(): readonly Segment[] {
    return this.#rewriting.packable
  }

  /** Puts a packed file in the place of neighbours (rewriting.ts); false where some of them are gone. Rejects with StorageError. */
  pack(segments: readonly Segment[], packed: RewrittenFile, holes: boolean): Promise<boolean> {
    return this.#rewriting.pack(segments, packed, holes)
  }

  /** Resolves when everything appended before the call is on stable storage. */
  flush(): Promise<void> {
    return this.#flushing.run()
  }

  /** All below `end` has come to stable storage, and all names. */
  wasFlushed = (end: number): void => this.#flushing.wasRun(end)

  /** Notes what is flushed and indexed, so that the next start scans no further back. */
  saveCheckpoint(durable: boolean): void {
    this.#checkpointing.save(durable)
  }

  /** Flushes, notes a clean end and lets files go. */
  async close(): Promise<void> {
    await this.flush()
    const active = this.#segments.at(-1)
    if (active !== undefined && !this.isNoted) {
      if (!active.isEmpty) active.saveIndex()
      saveSnapshot(this.#store, this.folder, this.#logEndOffset, this.#producers)
      // Not durably: a thousand logs would wait for the disk a thousand times. A power cut now costs a scan.
      this.#checkpointing.save(false, true)
    }
    this.release()
  }

  /** The last checkpoint says all there is to say: nothing happened since the start. */
  get isNoted(): boolean {
    return this.#checkpointing.isNoted
  }

  /** Lets files go without a word: the log is deleted, or the process pretends to die. */
  release(): void {
    this.#released = true
    for (const segment of this.#segments) segment.close()
  }
}
