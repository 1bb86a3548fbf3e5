// A pack as a file: the rebuilt batches one behind the other, at positions that never change. Whoever reads segments reads it too.
//
// Batches are kept for a while in runs of about 256 KiB, for who reads on or reads the same, and several runs are rebuilt at once where
// that takes no time to speak of. Headers alone are had without their records: a search for an offset or a time rebuilds nothing.

import { DamagedRecords, StorageError } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { File, Lease } from '../storage/file.ts'
import { Gathered } from './gathered.ts'
import type { Pack } from './pack.ts'
import { type CacheRoom, kept } from './pack-cache.ts'
import { type Frame, writeFrameHeader } from './pack-frames.ts'
import type { Window } from './run-memory.ts'

/** As many batches as are kept as one: so many bytes, or so many records, each of which may be in a block of its own. */
const runBytes = 256 * 1024
const runRecords = 128
/**
 * So many records at most are rebuilt at once: the more there are the more have their block, or their key, in common. Fewer where
 * they take longer than this, as they do while blocks are still to be inflated.
 */
const togetherMax = 4096
const togetherMs = 4
/** What one read gives at most, where a single batch is not longer, and how long it may take, as far as the last run tells. */
const readBytesMax = 1024 * 1024
const readMsMax = 5

/** More than a frame holds. */
const batchesPerFrameMax = 1 << 20

/** What is kept of a run that cannot be rebuilt as a whole: that it cannot. */
const damaged = 'damaged'
const damagedBytes = 100

const release = (): void => {}

/** A run that is kept, and where. */
type Run = { readonly window: Window; readonly at: number; readonly length: number }

export class PackedFile implements File {
  readonly path: string
  readonly length: number
  /** What is behind it, for who asks for more than batches. */
  readonly pack: Pack
  readonly #file: File
  readonly #room: CacheRoom
  /** Records that were rebuilt in good time. */
  #together = runRecords
  /** How long the last ones took. */
  #tookMs = 0

  constructor(pack: Pack, file: File, room: CacheRoom, length: number) {
    this.path = file.path
    this.length = length
    this.pack = pack
    this.#file = file
    this.#room = room
  }

  /** Bytes of the pack itself. */
  get allocatedBytes(): number {
    return this.#file.allocatedBytes
  }

  read(position: number, byteCount: number): Lease {
    const wanted = Math.min(byteCount, this.length - position)
    if (wanted <= 0) return { bytes: Buffer.alloc(0), release }
    const index = this.pack.frameAt(position)
    const frame = this.pack.frame(index)
    const from = position - this.pack.framePosition(index)
    const at = frame.batchAt(from)
    if (wanted <= batch.headerBytes && from === frame.positions[at])
      return { bytes: header(frame, at, wanted), release }
    return this.#gather(index, frame, at, position, wanted)
  }

  /** From `position` on, in the batch `at` of a frame: one run, or several. Ends in front of what is damaged. */
  #gather(index: number, frame: Frame, at: number, position: number, byteCount: number): Lease {
    const until = performance.now() + readMsMax
    const wanted = Math.min(byteCount, readBytesMax)
    const gathered = new Gathered(this.#room.runs, Math.min(wanted + runBytes, this.pack.length), this.pack.length)
    // Rows hold doubles: what is counted from here on is small, and compiled for integers.
    let skipped = (position - this.pack.framePosition(index) - frame.positions[at]!) | 0
    try {
      for (;;) {
        const next = this.#addRuns(gathered, index, frame, at, skipped, wanted - gathered.length)
        if (next === at) break
        at = next
        skipped = 0
        if (gathered.length >= wanted || performance.now() + this.#tookMs > until) break
        if (at < frame.batchCount) continue
        if (++index === this.pack.frameCount) break
        const following = this.#frame(index)
        if (following === undefined) break
        frame = following
        at = 0
      }
      return gathered.lend(byteCount)
    } finally {
      gathered.letGo()
    }
  }

  #frame(index: number): Frame | undefined {
    try {
      return this.pack.frame(index)
    } catch (cause) {
      if (cause instanceof DamagedRecords) return undefined
      throw cause
    }
  }

  /**
   * Adds batches from one on, up to the end of a run, but for the bytes skipped. Answers the batch behind them: the same one where
   * they are damaged, or have no room, and there is something in front of them.
   */
  #addRuns(gathered: Gathered, index: number, frame: Frame, at: number, skipped: number, byteCount: number): number {
    const { positions } = frame
    const [first, end] = runOf(frame, at)
    const known = this.#room.get<Run | typeof damaged>(keyOf(index, first))
    if (known === damaged) return this.#addOneByOne(gathered, index, at, end, skipped)
    const from = positions[at]! - positions[first]! + skipped
    if (known !== undefined) return gathered.add(known.window, known.at + from, known.at + known.length) ? end : at
    const ends = this.#runsFrom(index, frame, first, end, from + byteCount)
    const last = ends.at(-1)!
    const window = gathered.room(positions[last]! - positions[first]!)
    if (window === undefined) return at
    const start = window.used
    if (!this.#rebuilt(index, frame, first, ends, window)) {
      // One that is damaged must not take those before it along.
      if (ends.length > 1) return this.#addRuns(gathered, index, frame, at, skipped, 0)
      this.#room.set(keyOf(index, first), damaged, damagedBytes)
      return this.#addOneByOne(gathered, index, at, end, skipped)
    }
    gathered.add(window, start + from, window.used)
    return last
  }

  /** Ends of runs that are to be rebuilt at once: from one on those that are not kept, as far as they are asked for. */
  #runsFrom(index: number, frame: Frame, first: number, end: number, byteCount: number): number[] {
    const { positions, firstRecords } = frame
    const ends = [end]
    for (let last = end; last < frame.batchCount; ) {
      const next = runOf(frame, last)[1]
      const isWanted =
        positions[last]! - positions[first]! < byteCount &&
        firstRecords[next]! - firstRecords[first]! <= this.#together &&
        this.#room.get(keyOf(index, last)) === undefined
      if (!isWanted) break
      ends.push(next)
      last = next
    }
    return ends
  }

  /** Rebuilds runs into a window, and keeps them there; false where they are damaged. */
  #rebuilt(index: number, frame: Frame, first: number, ends: readonly number[], window: Window): boolean {
    const { positions, firstRecords } = frame
    const last = ends.at(-1)!
    const start = window.used - positions[first]!
    const began = performance.now()
    try {
      this.pack.rebuild(index, first, last, window.bytes, window.used)
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      this.#together = runRecords
      return false
    }
    this.#tookMs = performance.now() - began
    const recordCount = firstRecords[last]! - firstRecords[first]!
    if (this.#tookMs > togetherMs) this.#together = Math.max(runRecords, Math.floor(recordCount / 2))
    else if (2 * recordCount > this.#together) this.#together = Math.min(togetherMax, 2 * this.#together)
    window.used = start + positions[last]!
    let from = first
    for (const end of ends) {
      window.hold()
      const length = positions[end]! - positions[from]!
      const run: Run = { window, at: start + positions[from]!, length }
      this.#room.set(keyOf(index, from), run, length, () => window.release())
      from = end
    }
    return true
  }

  /** Where something in a run is damaged: what comes before it. */
  #addOneByOne(gathered: Gathered, index: number, at: number, end: number, skipped: number): number {
    const { positions } = this.pack.frame(index)
    let next = at
    for (; next < end; next++) {
      const length = positions[next + 1]! - positions[next]!
      const window = gathered.room(length)
      if (window === undefined) break
      try {
        this.pack.rebuild(index, next, next + 1, window.bytes, window.used)
      } catch (cause) {
        if (!(cause instanceof DamagedRecords) || gathered.length === 0) throw cause
        break
      }
      const from = window.used + (next === at ? skipped : 0)
      window.used += length
      gathered.add(window, from, window.used)
    }
    return next
  }

  stage(): Buffer {
    throw this.#readOnly()
  }

  commit(): void {
    throw this.#readOnly()
  }

  drop(): void {}

  cutAt(): void {
    throw this.#readOnly()
  }

  seal(): void {}

  flush(): Promise<void> {
    return this.#file.flush()
  }

  /** Closes the pack. */
  close(): void {
    this.pack.close()
  }

  #readOnly(): StorageError {
    return new StorageError('EROFS', `${this.path} is a pack: nothing is written to it`)
  }
}

function header(frame: Frame, index: number, byteCount: number): Buffer {
  const bytes = Buffer.alloc(batch.headerBytes)
  writeFrameHeader(bytes, 0, frame.headers[index]!, frame.verbatim(index)?.readInt32BE(57) ?? frame.recordCount(index))
  return bytes.subarray(0, byteCount)
}

const keyOf = (index: number, first: number): number => (index * batchesPerFrameMax + first) * kept.kinds + kept.batches

/** The run that a batch is in: runs are cut from the start of the frame on, so each batch is in one only. */
function runOf(frame: Frame, at: number): [first: number, end: number] {
  const { batchCount } = frame
  const run = runNumber(frame, at)
  let first = at
  while (first > 0 && runNumber(frame, first - 1) === run) first--
  let end = at + 1
  while (end < batchCount && runNumber(frame, end) === run) end++
  return [first, end]
}

const runNumber = ({ positions, firstRecords }: Frame, at: number): number =>
  Math.floor(positions[at]! / runBytes) + Math.floor(firstRecords[at]! / runRecords)
