// A pack as a file: the rebuilt batches one behind the other, at positions that never change. Whoever reads segments reads it too.
//
// Batches are rebuilt in runs of about 256 KiB and kept for a while, for who reads on or reads the same. Headers alone are had
// without their records: a search for an offset or a time rebuilds nothing.

import { DamagedRecords, StorageError } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { File, Lease } from '../storage/file.ts'
import type { Pack } from './pack.ts'
import { type CacheRoom, kept } from './pack-cache.ts'
import { type Frame, writeFrameHeader } from './pack-frames.ts'

/** As many batches as are rebuilt at once: so many bytes, or so many records, each of which may be in a block of its own. */
const runBytes = 256 * 1024
const runRecords = 128
/** What one read gives at most, where a single batch is not longer, and about how long it may take. */
const readBytesMax = 1024 * 1024
const readMsMax = 5

/** More than a frame holds. */
const batchesPerFrameMax = 1 << 20

/** What is kept of a run that cannot be rebuilt as a whole: that it cannot. */
const damaged = 'damaged'
const damagedBytes = 100

const release = (): void => {}

export class PackedFile implements File {
  readonly path: string
  readonly length: number
  /** What is behind it, for who asks for more than batches. */
  readonly pack: Pack
  readonly #file: File
  readonly #room: CacheRoom

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
    return { bytes: this.#gather(index, frame, at, position, wanted), release }
  }

  /** From `position` on, in the batch `at` of a frame: one run, or several joined. Ends in front of what is damaged. */
  #gather(index: number, frame: Frame, at: number, position: number, byteCount: number): Buffer {
    const pieces: Buffer[] = []
    const end = performance.now() + readMsMax
    let total = 0
    let skipped = position - this.pack.framePosition(index) - frame.positions[at]!
    for (;;) {
      const rest = byteCount - total
      const run = this.#runFrom(index, frame, at, pieces.length === 0)
      if (run === undefined) break
      const piece = run.bytes.subarray(skipped, skipped + rest)
      skipped = 0
      pieces.push(piece)
      total += piece.length
      at = run.end
      if (total >= Math.min(byteCount, readBytesMax) || performance.now() > end) break
      if (at < frame.batchCount) continue
      if (++index === this.pack.frameCount) break
      const next = this.#frame(index)
      if (next === undefined) break
      frame = next
      at = 0
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  #frame(index: number): Frame | undefined {
    try {
      return this.pack.frame(index)
    } catch (cause) {
      if (cause instanceof DamagedRecords) return undefined
      throw cause
    }
  }

  /** Batches from one on, up to the end of its run; undefined where they are damaged and `mustHave` is false. */
  #runFrom(index: number, frame: Frame, at: number, mustHave: boolean): { bytes: Buffer; end: number } | undefined {
    const [first, end] = runOf(frame, at)
    const key = (index * batchesPerFrameMax + first) * kept.kinds + kept.batches
    const known = this.#room.get<Buffer | typeof damaged>(key)
    const from = frame.positions[at]! - frame.positions[first]!
    if (known === damaged) return this.#oneByOne(index, at, end, mustHave)
    if (known !== undefined) return { bytes: known.subarray(from), end }
    try {
      const bytes = this.pack.rebuilt(index, first, end)
      this.#room.set(key, bytes, bytes.length)
      return { bytes: bytes.subarray(from), end }
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      this.#room.set(key, damaged, damagedBytes)
      return this.#oneByOne(index, at, end, mustHave)
    }
  }

  /** Where something in a run is damaged: what comes before it. */
  #oneByOne(index: number, at: number, end: number, mustHave: boolean): { bytes: Buffer; end: number } | undefined {
    const pieces: Buffer[] = []
    let next = at
    for (; next < end; next++) {
      try {
        pieces.push(this.pack.rebuilt(index, next, next + 1))
      } catch (cause) {
        if (!(cause instanceof DamagedRecords) || (mustHave && next === at)) throw cause
        break
      }
    }
    return next === at ? undefined : { bytes: Buffer.concat(pieces), end: next }
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
