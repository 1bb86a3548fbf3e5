// Pieces of a pack that are deflated, checked and damaged each on its own. A directory of rows in the footer names them:
//
//   float64 first | float64 position in the file | float64 stored bytes | float64 bytes | float64 CRC-32C of the stored bytes | …
//
// `first` is what the block begins with, in whatever its kind counts: a search by halving finds the block of anything. A row of
// frames has two numbers more. A block that deflate makes no smaller is stored as it is: stored bytes = bytes.

import * as zlib from 'node:zlib'
import { crc32c } from '../../protocol/crc32c.ts'
import { DamagedRecords } from '../../protocol/errors.ts'
import type { File } from '../storage/file.ts'
import { floats } from './pack-column.ts'
import type { PackSink } from './pack-job.ts'

const rowLengthMin = 5
/** Less than this gained is not worth inflating for. */
const worthShare = 0.97
/** On full values of JSON 9 saves three to five bytes of a hundred against 6, for twice the time; deltas cost the same. */
const deflateOptions = { level: 9, memLevel: 9 }

/** Near enough to what a value would take. */
export const deflatedLength = (bytes: Uint8Array): number =>
  zlib.deflateRawSync(bytes, { chunkSize: Math.max(64, Math.min(bytes.length, 64 * 1024)) }).length

/** Counts the file's bytes as blocks of all kinds are written one behind the other. */
export class PackOutput {
  readonly #sink: PackSink
  position = 0

  constructor(sink: PackSink) {
    this.#sink = sink
  }

  write(bytes: Buffer): void {
    this.#sink.write(bytes)
    this.position += bytes.length
  }
}

/** Writes blocks of one kind and keeps their rows. */
export class BlockWriter {
  readonly #output: PackOutput
  readonly rows = floats()

  constructor(output: PackOutput) {
    this.#output = output
  }

  write(bytes: Buffer, first: number, ...more: number[]): void {
    const deflated = zlib.deflateRawSync(bytes, deflateOptions)
    // The sink keeps what it is given, and the writer's own bytes are written over.
    const stored = deflated.length < worthShare * bytes.length ? deflated : Buffer.from(bytes)
    for (const number of [first, this.#output.position, stored.length, bytes.length, crc32c(stored), ...more]) {
      this.rows.push(number)
    }
    this.#output.write(stored)
  }
}

/** Reads exactly so many bytes: a view if the store has them in one piece, good until `release`. */
export function readExactly(file: File, position: number, byteCount: number): { bytes: Buffer; release: () => void } {
  const lease = file.read(position, byteCount)
  if (lease.bytes.length === byteCount) return lease
  const whole = Buffer.allocUnsafeSlow(byteCount)
  let done = lease.bytes.copy(whole)
  lease.release()
  while (done < byteCount) {
    const next = file.read(position + done, byteCount - done)
    const copied = next.bytes.copy(whole, done)
    next.release()
    if (copied === 0) throw new DamagedRecords(`${file.path} ends at byte ${position + done}, inside a block`)
    done += copied
  }
  return { bytes: whole, release: () => {} }
}

/** The blocks of one kind, by their rows. */
export class Blocks {
  readonly #file: File
  readonly #rows: Float64Array
  readonly #rowLength: number
  readonly #kind: string

  constructor(file: File, rows: Float64Array, kind: string, rowLength = rowLengthMin) {
    this.#file = file
    this.#rows = rows
    this.#kind = kind
    this.#rowLength = rowLength
  }

  get count(): number {
    return this.#rows.length / this.#rowLength
  }

  /** A column of a row: 0 what the block begins with, 5 and 6 what a row of its kind has more. */
  number(index: number, column: number): number {
    return this.#rows[index * this.#rowLength + column]!
  }

  /** What each begins with. */
  firsts(): Int32Array {
    const firsts = new Int32Array(this.count)
    for (let index = 0; index < firsts.length; index++) firsts[index] = this.number(index, 0)
    return firsts
  }

  /** Bytes of a block, inflated. */
  byteCount(index: number): number {
    return this.number(index, 3)
  }

  /** The last block for which the number in `column` is not above `wanted`; -1 if all are. */
  search(wanted: number, column = 0): number {
    let low = -1
    for (let high = this.count - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if (this.number(middle, column) <= wanted) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Bytes of a block, its own. Throws DamagedRecords where they are not what was written. */
  load(index: number): Buffer {
    const position = this.number(index, 1)
    const stored = this.number(index, 2)
    const byteCount = this.byteCount(index)
    const lease = readExactly(this.#file, position, stored)
    try {
      if (crc32c(lease.bytes) !== this.number(index, 4)) throw this.damage(index, 'fails its checksum')
      if (stored === byteCount) return Buffer.from(lease.bytes)
      // In one piece: a little more room than needed, or zlib asks for a second one to find that nothing is left.
      return zlib.inflateRawSync(lease.bytes, { chunkSize: byteCount + 64, maxOutputLength: byteCount + 64 })
    } catch (cause) {
      if (cause instanceof DamagedRecords) throw cause
      throw this.damage(index, 'does not inflate')
    } finally {
      lease.release()
    }
  }

  /** Names file and place. */
  damage(index: number, what: string): DamagedRecords {
    const position = this.number(index, 1)
    const end = position + this.number(index, 2)
    return new DamagedRecords(`${this.#file.path}: the block of ${this.#kind} at bytes ${position} to ${end} ${what}`)
  }
}
