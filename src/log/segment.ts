// One file of batches with its indexes: the piece of a log that is rolled, sealed, shared and deleted as a whole.

import { Corruption } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { borrow, type File, type Lease, type Store } from '../storage/file.ts'
import { type Found, foundIn } from './found.ts'
import { decodeIndex, encodeIndex, openIndex } from './index-file.ts'
import { OffsetIndex } from './offset-index.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import { type OpenPacked, PackedContent, type PackedFile } from './packed.ts'
import type { RewrittenFile } from './rewriting.ts'
import { segmentName } from './segment-name.ts'
import { TimeIndex } from './time-index.ts'

export type { Found } from './found.ts'

/** Of an index that is made for a fork. */
const sharedEntriesMax = 4096
/** Bytes of a shared segment that its index may leave out: they are scanned in a few milliseconds. */
export const indexLagMax = 16 * 1024 * 1024

export class Segment {
  readonly baseOffset: number
  /** Offset after the last record; equals baseOffset while empty. */
  nextOffset: number
  maxTimestamp = -1
  /** Broker time of the first append since the segment was made or opened; undefined while nothing was appended. */
  firstAppendAt: number | undefined
  readonly #store: Store
  #prefix: string
  #packed: PackedContent | undefined
  readonly #growthMax: number
  #file: File | undefined
  #length: number
  #offsets: OffsetIndex | undefined
  #times: TimeIndex | undefined
  #aborted: AbortedTransaction[] = []
  #index: Lease | undefined
  #unindexedBytes = 0
  /** Bytes that the index file describes; undefined where nobody knows of one. */
  #savedBytes: number | undefined
  #sealed: boolean

  /** `prefix`: what its paths begin with. `openPacked`: it lies packed; `length` bytes of batches count, -1 for all. */
  constructor(
    store: Store,
    prefix: string,
    baseOffset: number,
    growthMax: number,
    sealed: boolean,
    length = 0,
    openPacked?: OpenPacked,
  ) {
    this.#store = store
    this.#prefix = prefix
    this.baseOffset = baseOffset
    if (openPacked !== undefined) this.#packed = new PackedContent(store, this.#pathOf('pack'), openPacked)
    this.nextOffset = baseOffset
    this.#growthMax = growthMax
    this.#sealed = sealed
    this.#length = length
  }

  #pathOf(ending: 'log' | 'pack' | 'index'): string {
    return `${this.#prefix}${segmentName(this.baseOffset, ending)}`
  }

  get path(): string {
    return this.#pathOf(this.isPacked ? 'pack' : 'log')
  }

  get indexPath(): string {
    return this.#pathOf('index')
  }

  /** Bytes of batches; where they lie packed they take less. */
  get length(): number {
    if (!this.isPacked) return this.#file?.length ?? this.#length
    if (this.#length < 0) this.#length = this.file.length
    return this.#length
  }

  /** Bytes that the disk holds for it. */
  get storedBytes(): number {
    return this.#packed?.storedBytes ?? this.length
  }

  /** Its file has other names, or had: it lies beside the folder of what is the log's own. */
  get isShared(): boolean {
    return !this.#prefix.endsWith('/')
  }

  get isPacked(): boolean {
    return this.#packed !== undefined
  }

  /** The packed file, opened at the first use; undefined where the batches lie as they are. Throws DamagedRecords. */
  get packed(): PackedFile | undefined {
    return this.#packed?.opened
  }

  /** Its packed file has been opened, and something is wrong with it that nobody notices otherwise. */
  get isDamaged(): boolean {
    return this.#packed?.damage !== undefined
  }

  /** When somebody last wrote to its file, ms; undefined where nobody knows. */
  get writtenAt(): number | undefined {
    return this.#store.writtenAt(this.path)
  }

  get isEmpty(): boolean {
    return this.nextOffset === this.baseOffset
  }

  /** Opened at the first use: a log that nobody touches owns no map and no descriptor. */
  get file(): File {
    if (this.#file !== undefined) return this.#file
    if (this.#packed !== undefined) return this.#packed.file
    const exists = this.#length > 0 || this.#store.exists(this.path)
    const options = { length: this.#length, append: !this.#sealed }
    this.#file = exists
      ? this.#store.open(this.path, this.#growthMax, options)
      : this.#store.create(this.path, this.#growthMax)
    return this.#file
  }

  /** Takes the staged bytes in: one batch whose offsets are assigned. `intervalBytes`: bytes between index entries. */
  commit(staged: Buffer, intervalBytes: number, now: number): void {
    const position = this.length
    this.file.commit(batch.sizeInBytes(staged, 0))
    this.firstAppendAt ??= now
    this.note(staged, 0, position, intervalBytes)
  }

  /** Enters the batch in `bytes` into the indexes: at append and when a file is scanned. */
  note(bytes: Buffer, at: number, position: number, intervalBytes: number): void {
    const { offsets, times } = this.#indexes()
    if (this.#unindexedBytes >= intervalBytes) {
      const relativeOffset = batch.baseOffset(bytes, at) - this.baseOffset
      offsets.add(relativeOffset, position)
      // All before this batch is known to be no later than the largest timestamp so far.
      times.add(this.maxTimestamp, relativeOffset - 1)
      this.#unindexedBytes = 0
    }
    this.#unindexedBytes += batch.sizeInBytes(bytes, at)
    this.nextOffset = batch.nextOffset(bytes, at)
    this.maxTimestamp = Math.max(this.maxTimestamp, batch.maxTimestamp(bytes, at))
  }

  /** Bytes that the index file describes, as far as it was loaded or saved: the others were noted since. */
  get indexedBytes(): number {
    return this.#savedBytes ?? 0
  }

  /** Transactions taken back by a marker in this segment, in the order of the markers. */
  get aborted(): readonly AbortedTransaction[] {
    this.#indexes()
    return this.#aborted
  }

  noteAborted(transaction: AbortedTransaction): void {
    this.#indexes()
    this.#aborted.push(transaction)
  }

  #indexes(): { offsets: OffsetIndex; times: TimeIndex } {
    const isLoaded = this.#offsets !== undefined && this.#times !== undefined
    if (!isLoaded && !this.loadIndex()) {
      this.#offsets = new OffsetIndex()
      this.#times = new TimeIndex()
      this.#aborted = []
    }
    return { offsets: this.#offsets!, times: this.#times! }
  }

  /**
   * Reads the index file; false where there is none or it does not describe this segment. `lagMax`: bytes at the end that it may leave
   * out; `nextOffset` is then behind what it describes.
   */
  loadIndex(lagMax = 0): boolean {
    if (this.isPacked && this.#index !== undefined) return true
    const index = openIndex(this.#store, this.indexPath)
    if (index === undefined) return false
    try {
      const content = decodeIndex(index.bytes)
      // How much a packed file gives, its index tells without opening it.
      if (this.isPacked && this.#length < 0) this.#length = content.segmentBytes
      const lag = this.length - content.segmentBytes
      if (lag < 0 || lag > lagMax) throw new Corruption('the index describes another length')
      this.#offsets = content.offsets
      this.#times = content.times
      this.#aborted = [...content.aborted]
      this.nextOffset = this.baseOffset + content.nextOffset
      this.maxTimestamp = content.maxTimestamp
      this.#savedBytes = content.segmentBytes
      this.#index = index
      return true
    } catch (cause) {
      index.release()
      if (!(cause instanceof Corruption)) throw cause
      return false
    }
  }

  /** Forgets indexes and contents: the file is about to be scanned. */
  reset(): void {
    this.#offsets = new OffsetIndex()
    this.#times = new TimeIndex()
    this.#aborted = []
    this.#savedBytes = undefined
    this.#unindexedBytes = 0
    this.nextOffset = this.baseOffset
    this.maxTimestamp = -1
  }

  /** For recovery: what lies above `length` is not part of the segment. A sealed one gives the space back at once. */
  cutAt(length: number): void {
    if (!this.#sealed) this.file.cutAt(length)
    else {
      this.#closeFile()
      const file = this.#store.open(this.path, this.#growthMax, { append: true })
      file.cutAt(length)
      file.close()
    }
    this.#length = length
  }

  /** For recovery of a shared file: no more than this is read of it. */
  boundAt(length: number): void {
    this.#closeFile()
    this.#length = length
  }

  /** For recovery: those behind it are gone, and it takes batches again. */
  unseal(): void {
    this.#closeFile()
    this.#sealed = false
  }

  #closeFile(): void {
    this.#packed?.close()
    if (this.#file === undefined) return
    this.#length = this.#file.length
    this.#file.close()
    this.#file = undefined
  }

  /** Writes the index beside the segment. */
  saveIndex(): void {
    const bytes = encodeIndex({
      ...this.#indexes(),
      aborted: this.#aborted,
      segmentBytes: this.length,
      nextOffset: this.nextOffset - this.baseOffset,
      maxTimestamp: this.maxTimestamp,
    })
    this.#store.save(this.indexPath, bytes, false)
    this.#savedBytes = this.length
  }

  /** Removes the index file: the next start makes it again. */
  dropIndex(): void {
    this.#savedBytes = undefined
    this.#store.remove(this.indexPath)
  }

  /**
   * Sees to an index file of the first bytes of this segment that whoever shares `byteCount` of them can link; false where that cannot
   * be. One serves many forks while the segment goes on growing: they scan the rest when it is opened.
   */
  saveIndexFor(byteCount: number): boolean {
    this.#indexes()
    const saved = this.#savedBytes
    if (saved !== undefined && saved <= byteCount && byteCount - saved <= indexLagMax) return true
    if (byteCount !== this.length) return false
    this.#store.save(this.indexPath, this.indexBelow(byteCount, this.nextOffset), false)
    this.#savedBytes = byteCount
    return true
  }

  /**
   * An index of the first `byteCount` bytes, up to `nextOffset`, for whoever shares them. It has few entries: a fork
   * costs next to nothing however long the segment is, and a read then passes over some batches more.
   */
  indexBelow(byteCount: number, nextOffset: number): Buffer {
    const { offsets, times } = this.#indexes()
    return encodeIndex({
      offsets: offsets.below(byteCount, sharedEntriesMax),
      times: times.below(nextOffset - this.baseOffset, sharedEntriesMax),
      aborted: this.#aborted.filter(({ lastOffset }) => lastOffset < nextOffset),
      segmentBytes: byteCount,
      nextOffset: nextOffset - this.baseOffset,
      maxTimestamp: byteCount === this.length ? this.maxTimestamp : this.#maxTimestampBelow(byteCount, nextOffset),
    })
  }

  #maxTimestampBelow(byteCount: number, nextOffset: number): number {
    const { offsets, times } = this.#indexes()
    const [known, upTo] = times.last(nextOffset - this.baseOffset)
    let largest = known
    for (let position = offsets.floor(upTo); position < byteCount; ) {
      const found = this.batchAt(position)
      largest = Math.max(largest, found.maxTimestamp)
      position += found.byteCount
    }
    return largest
  }

  /** No more batches come. */
  seal(): void {
    this.#sealed = true
    this.#file?.seal()
  }

  async flush(): Promise<void> {
    // A packed one was flushed before it got its name; a closed one may still be unflushed: scanned after a kill, and cut.
    if (!this.isPacked && (this.#file !== undefined || this.#length > 0)) await this.file.flush()
  }

  /** The batch that starts at a position. Throws Corruption where there is none. */
  batchAt(position: number): Found {
    return borrow(this.read(position, batch.headerBytes), (bytes) => {
      const found = foundIn(bytes, position, this.length)
      if (found === undefined) throw new Corruption(`${this.path}: no batch at byte ${position}`)
      return found
    })
  }

  /** The batch that holds an offset, or the first one behind it (there may be holes); undefined past the last. */
  find(offset: number): Found | undefined {
    if (offset >= this.nextOffset) return undefined
    let [position, expected] = [this.#indexes().offsets.floor(offset - this.baseOffset), this.baseOffset]
    while (position < this.length) {
      const found = this.batchAt(position)
      if (found.baseOffset < expected) throw new Corruption(`${this.path}: byte ${position} tells a wrong offset`)
      expected = found.nextOffset
      if (found.nextOffset > offset) return found
      position += found.byteCount
    }
    return undefined
  }

  /** The first batch whose largest timestamp is `timestamp` or later. */
  findTime(timestamp: number): Found | undefined {
    if (this.maxTimestamp < timestamp) return undefined
    const { offsets, times } = this.#indexes()
    let found: Found
    for (let position = offsets.floor(times.startOf(timestamp)); position < this.length; position += found.byteCount) {
      found = this.batchAt(position)
      if (found.maxTimestamp >= timestamp) return found
    }
    return undefined
  }

  /** As `File.bring`, for the batches from an offset on. What lies packed is rebuilt by its reader. */
  bring(offset: number, byteCount: number): Promise<void> | undefined {
    if (this.isPacked || this.file.bring === undefined) return undefined
    return this.file.bring(this.#indexes().offsets.floor(offset - this.baseOffset), byteCount)
  }

  read(position: number, byteCount: number): Lease {
    // A fork may show only the first part of a packed file.
    return this.file.read(position, this.isPacked ? Math.min(byteCount, this.length - position) : byteCount)
  }

  /**
   * Puts a file in this one's place: readers keep the old bytes while they hold them, branches for ever. The index file tells of
   * the old one, so it goes before; the caller saves the new one. Throws StorageError, and then it is what it was.
   */
  replaceBy(rewritten: RewrittenFile): void {
    this.dropIndex()
    this.#closeFile()
    this.#store.rename(rewritten.path, this.path)
    this.close()
    this.#become(rewritten)
  }

  /**
   * Puts a packed file in this one's place, under `prefix`. Answers the names of what it was before, which go when stable
   * storage knows of the new one; the caller has made sure that no index of the same name is left, and saves the new one then.
   */
  packBy(rewritten: RewrittenFile, prefix: string, openPacked: OpenPacked): string[] {
    const before = [this.path, this.indexPath]
    this.#store.rename(rewritten.path, `${prefix}${segmentName(this.baseOffset, 'pack')}`)
    this.close()
    this.#prefix = prefix
    this.#packed = new PackedContent(this.#store, this.#pathOf('pack'), openPacked)
    this.#become(rewritten)
    return before.filter((name) => name !== this.path && name !== this.indexPath)
  }

  #become({ length, nextOffset, offsets, times, aborted, maxTimestamp }: RewrittenFile): void {
    this.#length = length
    this.nextOffset = nextOffset
    this.#offsets = offsets
    this.#times = times
    this.#aborted = aborted
    this.maxTimestamp = maxTimestamp
    this.#savedBytes = undefined
  }

  close(): void {
    this.#index?.release()
    this.#index = undefined
    this.#offsets = undefined
    this.#times = undefined
    this.#closeFile()
  }

  /** Removes the files' names; bytes that a reader holds or a branch shares live on. */
  remove(): void {
    this.close()
    this.#store.remove(this.path)
    this.#store.remove(this.indexPath)
  }
}
