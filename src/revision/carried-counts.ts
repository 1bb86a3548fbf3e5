// How many revisions each key had in files that are gone, so that its numbers go on where they were: a small file of the
// partition, written before retention or DeleteRecords takes records.
//
//   { "v": 1, "upTo": offset, "keys": count }\n
//   key length varint | key | count varint        for each key
//   CRC-32C of all that, uint32

import { crc32c } from '../../protocol/crc32c.ts'
import { Corruption } from '../../protocol/errors.ts'
import { Cursor, sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../../protocol/varint.ts'
import type { KeyHash } from './key-hash.ts'
import { enlarged, KeyTable } from './key-table.ts'

export const countsName = 'revisions'
const checksumBytes = 4

export class CarriedCounts {
  /** Records below were counted, whether or not their files are still there. */
  upTo = 0
  readonly #hash: KeyHash
  readonly #table = new KeyTable()
  #counts = new Float64Array(64)

  constructor(hash: KeyHash) {
    this.#hash = hash
  }

  get keyCount(): number {
    return this.#table.count
  }

  get hashes(): Float64Array {
    return this.#table.hashes
  }

  of(hash: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
    const key = this.#table.find(hash, bytes, start, end)
    return key < 0 ? 0 : this.#counts[key]!
  }

  set(hash: number, bytes: Uint8Array, start: number, end: number, count: number): void {
    const key = this.#table.put(hash, bytes, start, end)
    if (key === this.#counts.length) this.#counts = enlarged(this.#counts, new Float64Array(2 * key))
    this.#counts[key] = Math.max(count, this.#counts[key]!)
  }

  encode(): Buffer {
    const head = Buffer.from(`${JSON.stringify({ v: 1, upTo: this.upTo, keys: this.keyCount })}\n`)
    let size = head.length + checksumBytes
    for (let key = 0; key < this.keyCount; key++) {
      const { length } = this.#table.bytesOf(key)
      size += sizeOfVarint(length) + length + sizeOfVarlong(this.#counts[key]!)
    }
    const bytes = Buffer.allocUnsafe(size)
    let at = head.copy(bytes)
    for (let key = 0; key < this.keyCount; key++) {
      const own = this.#table.bytesOf(key)
      at = writeVarint(bytes, at, own.length)
      at += own.copy(bytes, at)
      at = writeVarlong(bytes, at, this.#counts[key]!)
    }
    bytes.writeUInt32BE(crc32c(bytes, 0, at), at)
    return bytes
  }

  /** Throws Corruption. `path`: for what it says. */
  static decode(bytes: Buffer, hash: KeyHash, path: string): CarriedCounts {
    const counts = new CarriedCounts(hash)
    const end = bytes.length - checksumBytes
    const headEnd = bytes.indexOf('\n')
    if (headEnd < 0 || end < headEnd || crc32c(bytes, 0, end) !== bytes.readUInt32BE(end)) {
      throw new Corruption(`${path}: the counts of revisions are not what was written`)
    }
    const { v, upTo, keys } = JSON.parse(bytes.toString('utf8', 0, headEnd)) as Record<string, number>
    if (v !== 1) throw new Corruption(`${path}: version ${v} of the counts of revisions`)
    counts.upTo = upTo!
    const cursor = new Cursor(bytes, headEnd + 1, end)
    for (let key = 0; key < keys!; key++) {
      const length = cursor.varint()
      const start = cursor.position
      cursor.skip(length)
      counts.set(counts.#hash(bytes, start, start + length), bytes, start, start + length, cursor.varlong())
    }
    return counts
  }
}
