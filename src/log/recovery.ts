// Opens a log from its files. What a checkpoint vouches for is believed; the rest is scanned batch by batch, the torn
// tail is cut off, and indexes and producer state are built again.
//
//   ███████████████████│░░░░ scanned ░░░░│▒▒ torn ▒▒│ pre-allocated zeros
//            vouched for                 ▲ the log ends here
//
// A kill leaves every byte that was written, so a batch that is not whole in front of one that is was damaged since, and
// the log goes offline. After a power cut the same picture only means that pages were not written in order.

import { Corruption, DamagedRecords, StorageError } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { Store } from '../storage/file.ts'
import { type Checkpoint, checkpointOf, loadCheckpoint, tellsDurably } from './checkpoint.ts'
import { endOfShared, type Inherited, type Lost, lostUpTo, needsNoIndex, ownPrefix, sharedPrefix } from './inherited.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import type { OpenPacked } from './packed.ts'
import { dropSnapshotsAbove, loadSnapshot, saveSnapshot, snapshotOffsets } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import type { Recovered } from './recovered.ts'
import { scan, tailOf } from './scan.ts'
import { indexLagMax, Segment } from './segment.ts'
import { leftOver, pathOf, type SegmentFiles, segmentFiles, takeDeleted } from './segment-files.ts'
import { whereRoom } from './where-room.ts'

export type { Recovered } from './recovered.ts'

/** Opens the log in a folder; an empty or missing folder is an empty log. Throws Corruption, StorageError. */
export function recover(store: Store, folder: string, config: SegmentConfig, inherited?: Inherited): Recovered {
  const opened: Segment[] = []
  try {
    return new Recovery(store, folder, { ...config, opened }, inherited).run()
  } catch (cause) {
    for (const segment of opened) segment.close() // it may be tried again
    // Damaged here is a packed file that alone knows what is in it.
    throw cause instanceof DamagedRecords ? new Corruption(cause.message) : cause
  }
}

type SegmentConfig = Pick<LogConfig, 'segmentBytes' | 'indexIntervalBytes' | 'openPacked'>

/** `opened`: all segments that are, for whoever has to let them go. */
type Opening = SegmentConfig & { readonly opened: Segment[] }

class Recovery {
  readonly #store: Store
  readonly #folder: string
  readonly #config: Opening
  readonly #checkpoint: Checkpoint | undefined
  readonly #point: Checkpoint['recovered']
  readonly #epochs: LeaderEpochs
  readonly #producers: ProducerState
  /** Batches from here on are not in the producer snapshot. */
  readonly #producersFrom: number
  readonly #compactedOffset: number
  readonly #inherited: Inherited | undefined
  /** Bytes that count of the files that are shared, by base offset. */
  readonly #bounds: ReadonlyMap<number, number>
  /** A power cut may have taken what of the shared files nobody had flushed. */
  readonly #isDoubted: boolean
  /** They are on stable storage when they have been looked at, or always were. */
  readonly #isSettled: boolean
  readonly #files: SegmentFiles
  readonly #bases: number[]
  readonly #logStartOffset: number
  readonly #segments: Segment[] = []
  #scannedBytes = 0
  #cutBytes = 0
  readonly #lost: Lost[]
  /** The active file has other names, and what they show above its end a power cut may have taken: it must not come back. */
  #mustRoll = false

  constructor(store: Store, folder: string, config: Opening, inherited: Inherited | undefined) {
    this.#inherited = inherited
    this.#store = store
    this.#folder = folder
    this.#config = config
    this.#checkpoint = loadCheckpoint(store, folder) ?? (inherited && checkpointOf(inherited))
    this.#bounds = new Map(inherited?.files)
    this.#lost = [...(this.#checkpoint?.lost ?? [])]
    const wasFlushed = inherited === undefined || inherited.flushedOffset >= inherited.ownFrom
    const isSettled = wasFlushed || this.#checkpoint?.settled === true
    this.#isDoubted = !isSettled && inherited.boot !== store.boot
    this.#isSettled = isSettled || this.#isDoubted
    this.#point = this.#checkpoint?.recovered ?? { offset: -1, segment: -1, position: 0 }
    this.#epochs = new LeaderEpochs(this.#checkpoint?.epochs)
    this.#files = segmentFiles(store, folder, this.#bounds.keys(), config.openPacked)
    config.opened.push(...this.#files.opened.values())
    this.#bases = [...this.#files.files.keys()]
    this.#logStartOffset = Math.max(this.#checkpoint?.logStartOffset ?? 0, this.#bases[0] ?? this.#emptyStart())
    const snapshot = loadSnapshot(store, folder, Math.max(this.#point.offset, this.#logStartOffset))
    const isCut = inherited !== undefined && snapshot.offset < inherited.offset
    this.#producers = isCut ? ProducerState.cutThrough(inherited) : snapshot.producers
    this.#producersFrom = isCut ? inherited.offset : snapshot.offset
    // A checkpoint that cannot be read may have told of compaction: holes prove nothing then.
    const unreadable = this.#checkpoint === undefined && store.exists(`${folder}/checkpoint`)
    this.#compactedOffset = this.#checkpoint?.compactedOffset ?? (unreadable ? Infinity : 0)
  }

  run(): Recovered {
    const bases = this.#bases
    let logStartOffset = this.#logStartOffset
    this.#removeLeftovers()
    // Deleted, but a kill came before the files were gone, or a power cut brought them back, perhaps not whole.
    const isTold = () => tellsDurably(this.#store, this.#folder, this.#checkpoint)
    for (const base of takeDeleted(bases, logStartOffset, isTold)) this.#segmentAt(base, true).remove()
    if (bases[0]! > this.#producersFrom) this.#producers.forgetOpen()
    for (const [i, base] of bases.entries()) {
      if (!this.#take(base, i === bases.length - 1 && base >= this.#point.segment)) {
        this.#dropFrom(bases.slice(i))
        break
      }
    }
    this.#holdToCheckpoint()
    this.#makeActive(this.#segments.length < bases.length)
    this.#endHole()
    // What was lost at the beginning is no hole in front of the rest, but a later beginning.
    while (this.#segments.length > 1 && this.#lost.length > 0 && this.#segments[0]!.isEmpty) {
      this.#segments.shift()!.close()
      logStartOffset = Math.max(logStartOffset, this.#segments[0]!.baseOffset)
    }
    const last = this.#segments.at(-1)
    if (last !== undefined && last.nextOffset < logStartOffset) {
      // A power cut took what was deleted anyway. The offsets were given out, so the log goes on behind them.
      for (const segment of this.#segments.splice(0)) segment.remove()
    }
    const end = Math.max(this.#segments.at(-1)?.nextOffset ?? 0, logStartOffset)
    this.#epochs.endAt(end)
    dropSnapshotsAbove(this.#store, this.#folder, end)
    return {
      segments: this.#segments,
      logStartOffset,
      epochs: this.#epochs,
      producers: this.#producers,
      compactedOffset: Math.min(this.#compactedOffset, end), // or the next start would take holes for damage
      checkpoint: this.#checkpoint,
      shared: { lost: this.#lost, isSettled: this.#isSettled, wasDoubted: this.#isDoubted },
      scannedBytes: this.#scannedBytes,
      cutBytes: this.#cutBytes,
    }
  }

  /** Where a log without a segment begins: were its checkpoint old, the snapshot of its last roll bears the offset. */
  #emptyStart(): number {
    return Math.max(0, this.#point.offset, snapshotOffsets(this.#store, this.#folder).at(-1) ?? 0)
  }

  /** What was vouched for as sealed stays so, else it would be vouched for with what is appended now. */
  #makeActive(isShorter: boolean): void {
    const last = this.#segments.at(-1)
    if (last === undefined) return
    if (last.baseOffset < this.#point.segment || last.isPacked) {
      const base = Math.max(last.nextOffset, this.#inherited?.ownFrom ?? 0)
      this.#keepProducers(base)
      this.#segments.push(this.#segmentAt(base, false))
    } else if (this.#mustRoll) this.#leave(last)
    else if (isShorter) last.unseal()
  }

  /** What is shared of it stays as it is; what is appended goes into a file that nobody else has. */
  #leave(last: Segment): void {
    if (last.isEmpty) {
      last.remove()
      this.#segments.pop()
    } else {
      last.seal()
      whereRoom(() => last.saveIndex())
    }
    this.#keepProducers(last.nextOffset)
    this.#segments.push(this.#segmentAt(last.nextOffset, false))
  }

  #segmentAt(base: number, sealed: boolean): Segment {
    const { files, opened } = this.#files
    const { prefix = ownPrefix(this.#folder), isPacked = false } = files.get(base) ?? {}
    const { segmentBytes, openPacked } = this.#config
    const make = (length: number, open?: OpenPacked) => {
      const segment = new Segment(this.#store, prefix, base, segmentBytes, sealed, length, open)
      this.#config.opened.push(segment)
      return segment
    }
    if (!isPacked) return make(files.has(base) ? this.#sizeOf(base) : 0)
    if (openPacked === undefined) throw new Corruption(`${this.#folder}: a packed file where there can be none`)
    return opened.get(base) ?? make(this.#bounds.get(base)!, openPacked)
  }

  /** What a kill left in the middle of writing aside, and what belongs to segments that are gone. */
  #removeLeftovers(): void {
    const { files, indexes } = leftOver(this.#files, this.#folder, this.#bounds.keys())
    for (const path of [...files, ...indexes]) this.#store.remove(path)
    const known = new Set(this.#bases)
    for (const name of this.#store.list(this.#folder)) {
      const isAside = name.endsWith('.tmp') || name.endsWith('.compacted')
      const isLonely = /^\d{20}\.index$/.test(name) && !known.has(Number.parseInt(name, 10))
      if (isAside || isLonely) this.#store.remove(`${this.#folder}/${name}`)
    }
  }

  /** Takes the next segment in; false where the log ends before it. */
  #take(base: number, last: boolean): boolean {
    if (this.#lost.some(({ from, to }) => base > from && base < to)) {
      // Of a log that has lost something nothing comes after it.
      this.#segmentAt(base, true).remove()
      return true
    }
    const isPacked = this.#files.files.get(base)!.isPacked
    const segment = this.#segmentAt(base, !last || isPacked)
    const { path } = segment
    const before = this.#segments.at(-1)
    const expected = before?.nextOffset ?? base
    if (base < expected && expected <= this.#compactedOffset && Number.isFinite(this.#compactedOffset)) {
      // Compaction has written it into the one before, and a kill came before it was gone.
      segment.remove()
      return true
    }
    const isHole = base > expected && base > this.#compactedOffset && !this.#lost.some(({ to }) => to === base)
    if (base < expected || isHole) {
      const problem = isHole
        ? `is missing: ${before!.path} ends there, ${path} is the next`
        : `is twice: in ${path} too`
      if (!this.#excused(path, expected)) throw new Corruption(`${this.#folder}: offset ${expected} ${problem}`)
      return false
    }
    if (before !== undefined) this.#keepProducers(base)
    const { segment: pointBase, position } = this.#point
    const isOld = isPacked || base < pointBase || (base === pointBase && segment.length === position)
    const vouched = isOld && !this.#isDoubtful(base)
    if (vouched && segment.loadIndex(this.#indexLagOf(base))) {
      this.#indexRest(segment)
      this.#endPacked(segment)
      // No checksum: what is vouched for is believed.
      if (segment.nextOffset > this.#producersFrom) {
        scan(segment, base, this.#compactedOffset, false, (bytes, at) => void this.#noteProducer(bytes, at))
      }
      this.#segments.push(segment)
      return true
    }
    this.#scan(segment, last && !isPacked)
    this.#segments.push(segment)
    return true
  }

  /** Of a shared file no more counts than when the fork was made: it may go on growing under its other name. */
  #sizeOf(base: number): number {
    return Math.min(this.#bounds.get(base) ?? Infinity, this.#store.sizeOf(pathOf(this.#files.files.get(base)!)))
  }

  /** What a fork shares of a file that goes on growing has an index that serves many forks (`Segment.saveIndexFor`). */
  #indexLagOf(base: number): number {
    return this.#isShared(base) && !this.#inherited!.hasTransactions ? indexLagMax : 0
  }

  #indexRest(segment: Segment): void {
    const from = segment.indexedBytes
    if (from === segment.length) return
    const note = (bytes: Buffer, at: number, position: number) =>
      segment.note(bytes, at, position, this.#config.indexIntervalBytes)
    this.#boundShared(segment, scan(segment, segment.nextOffset, this.#compactedOffset, false, note, from))
  }

  /** Its file is; what a fork has packed of it is its own. */
  #isShared(base: number): boolean {
    return this.#files.files.get(base)?.prefix === sharedPrefix(this.#folder)
  }

  #isInherited(base: number): boolean {
    return base < (this.#inherited?.ownFrom ?? 0)
  }

  /** A fork vouches for what it shares, unless a power cut may have taken what nobody had flushed. */
  #isDoubtful(base: number): boolean {
    if (!this.#isDoubted || !this.#isShared(base)) return false
    const next = this.#bases.find((other) => other > base) ?? Infinity
    return next > this.#inherited!.flushedOffset
  }

  /** Once the segments before are gone, only a snapshot knows who wrote them; a power cut may have taken it. */
  #keepProducers(base: number): void {
    if (base <= this.#producersFrom || loadSnapshot(this.#store, this.#folder, base).offset === base) return
    saveSnapshot(this.#store, this.#folder, base, this.#producers)
  }

  #noteProducer(bytes: Buffer, at: number): AbortedTransaction | undefined {
    return batch.nextOffset(bytes, at) > this.#producersFrom ? this.#producers.note(bytes, at) : undefined
  }

  /** What was known of producers at a segment that the snapshot has left behind, for what transactions it holds. */
  #producersBefore(base: number): ProducerState | undefined {
    // Most logs never see a transaction, and then nothing is read: it might be all of a log that is large.
    if (base >= this.#producersFrom || !this.#producers.hasSeenTransactions) return undefined
    const isInherited = this.#isInherited(base)
    if (isInherited && !this.#inherited!.hasTransactions) return undefined
    const kept = loadSnapshot(this.#store, this.#folder, base)
    if (kept.offset === base) return kept.producers
    const inherited = isInherited ? undefined : this.#inherited
    const producers = inherited === undefined ? new ProducerState() : ProducerState.cutThrough(inherited)
    // What is open since before the first of them no scan finds, and yet it holds back what those after it say is stable.
    producers.takeOpenBelow(this.#bases[0] ?? base, this.#producers)
    for (const segment of this.#segments) {
      if (this.#isInherited(segment.baseOffset) !== isInherited) continue
      scan(segment, segment.baseOffset, this.#compactedOffset, false, (bytes, at) => void producers.note(bytes, at))
    }
    return producers
  }

  #scan(segment: Segment, last: boolean): void {
    const physical = segment.length
    segment.reset()
    const base = segment.baseOffset
    const before = this.#producersBefore(base)
    const end = scan(segment, base, this.#compactedOffset, true, (bytes, at, position) => {
      segment.note(bytes, at, position, this.#config.indexIntervalBytes)
      this.#epochs.assign(batch.partitionLeaderEpoch(bytes, at), batch.baseOffset(bytes, at))
      const noted = this.#noteProducer(bytes, at)
      const aborted = before === undefined ? noted : before.note(bytes, at)
      if (aborted !== undefined) segment.noteAborted(aborted)
    })
    const { packed } = segment
    if (packed !== undefined && packed.asFile().length === end) segment.nextOffset = packed.nextOffset
    this.#endPacked(segment)
    if (this.#isShared(base)) this.#boundShared(segment, end)
    else if (!segment.isPacked) this.#scannedBytes += end
    if (last && !this.#isShared(base)) {
      this.#mustRoll = this.#store.mayHaveLost(segment.path) && this.#store.linkCount(segment.path) > 1
    }
    if (end < physical && !this.#isShared(base)) {
      const tail = tailOf(segment, end)
      // Nothing torn can be in front of a later segment: that was begun when this one was whole.
      if ((tail.isDamage || (!last && tail.byteCount > 0)) && !this.#excused(segment.path, segment.nextOffset)) {
        throw new Corruption(`${segment.path}: the batch at byte ${end} is damaged`)
      }
      this.#cutBytes += tail.byteCount
      segment.cutAt(end)
    }
    const isUnindexed = this.#isShared(base) && needsNoIndex(end, this.#inherited!.hasTransactions)
    if (!last && !isUnindexed) whereRoom(() => segment.saveIndex())
  }

  /** Behind the last batch of a packed file offsets may be missing, and behind all that a fork shows of it. */
  #endPacked(segment: Segment): void {
    const { baseOffset: from, isPacked } = segment
    if (!isPacked || !this.#isShared(from)) return
    const next = this.#bases.find((base) => base > from) ?? endOfShared(this.#inherited!, from)
    segment.nextOffset = Math.min(segment.nextOffset, next)
  }

  /** It is not ours to cut: what is behind belongs to the file's other names. */
  #boundShared(segment: Segment, end: number): void {
    if (end >= this.#bounds.get(segment.baseOffset)!) return
    const { nextOffset } = segment
    const isKnown = this.#lost.some(({ from }) => from === nextOffset)
    if (!isKnown && !this.#isDoubtful(segment.baseOffset)) {
      throw new Corruption(`${segment.path}: the batch at byte ${end} is damaged`)
    }
    const to = endOfShared(this.#inherited!, segment.baseOffset)
    if (!isKnown) this.#lost.push({ from: nextOffset, to })
    segment.boundAt(end)
  }

  /** Readers do not cross a hole at the end of a log: a batch without records leads them over. */
  #endHole(): void {
    const active = this.#segments.at(-1)
    const to = lostUpTo(this.#lost)
    if (to === 0 || active?.baseOffset !== to || !active.isEmpty) return
    const bytes = encodeBatch({
      records: [],
      baseOffset: to,
      lastOffset: to,
      partitionLeaderEpoch: this.#epochs.latest,
    })
    try {
      active.commit(active.file.stage(bytes), this.#config.indexIntervalBytes, 0)
      active.firstAppendAt = undefined
      this.#scannedBytes += bytes.length // as little on stable storage as what was only just found
    } catch (cause) {
      // They wait until there is room for whatever comes next.
      if (!(cause instanceof StorageError)) throw cause
    }
  }

  /** Whether a power cut explains that an offset is missing: it was not vouched for, and the machine went down since. */
  #excused(path: string, offset: number): boolean {
    return offset >= this.#point.offset && this.#store.mayHaveLost(path)
  }

  /** A file that is gone or shorter leaves no damaged batch to stumble over. */
  #holdToCheckpoint(): void {
    const end = this.#segments.at(-1)?.nextOffset ?? 0
    const { offset } = this.#point
    if (end >= offset || offset <= Math.max(this.#logStartOffset, this.#compactedOffset, lostUpTo(this.#lost))) return
    throw new Corruption(`${this.#folder} ends at offset ${end}, but all up to ${offset} was on stable storage`)
  }

  /** Segments behind a place where a power cut took something: their offsets will be given out again. */
  #dropFrom(bases: readonly number[]): void {
    for (const base of bases) {
      const segment = this.#segmentAt(base, true)
      this.#cutBytes += this.#store.sizeOf(segment.path)
      segment.remove()
    }
  }
}
