// Keys by number: each key's bytes once, found by hash and confirmed by the bytes. A million keys are a few arrays, which grow
// piece by piece.
//
//   hashes | where the key's bytes begin | how many they are      by the key's number
//   slots                                                         number + 1, found by the hash: many small tables

import { float64s, int32s } from './column.ts'
import type { KeyHash } from './key-hash.ts'

/** No such key. */
const missing = -1
const tableCount = 16
const slotsMin = 8
/** Linear probing slows down beyond. */
const loadMax = 0.7
const pieceBytesMin = 512
const pieceBytesMax = 256 * 1024

type Table = { slots: Int32Array; count: number }

export class KeyTable {
  #count = 0
  readonly #hashes = float64s()
  readonly #starts = int32s()
  readonly #lengths = int32s()
  /** Which of the pieces holds the key's bytes. */
  readonly #places = int32s()
  readonly #pieces: Buffer[] = []
  #pieceEnd = 0
  readonly #tables: Table[] = Array.from({ length: tableCount }, () => ({ slots: new Int32Array(slotsMin), count: 0 }))

  get count(): number {
    return this.#count
  }

  /** Memory that it takes, about. */
  get byteCount(): number {
    const slots = this.#tables.reduce((sum, table) => sum + table.slots.byteLength, 0)
    return slots + this.#hashes.byteCount * 2.5 + this.#pieces.reduce((sum, { length }) => sum + length, 0)
  }

  /** The number of a key; -1 where it was never put. */
  find(hash: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
    const { slots } = this.#tableOf(hash)
    return slots[this.#slotOf(slots, hash, bytes, start, end)]! - 1
  }

  /** The number of a key, which is the count of keys before if it is new. */
  put(hash: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
    const table = this.#tableOf(hash)
    const slot = this.#slotOf(table.slots, hash, bytes, start, end)
    const known = table.slots[slot]! - 1
    if (known !== missing) return known
    const key = this.#count++
    this.#keep(key, bytes, start, end)
    this.#hashes.set(key, hash)
    table.slots[slot] = key + 1
    if (++table.count > loadMax * table.slots.length) this.#grow(table)
    return key
  }

  #keep(key: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    let piece = this.#pieces.at(-1)
    if (piece === undefined || this.#pieceEnd + length > piece.length) {
      const wanted = Math.min(pieceBytesMax, Math.max(pieceBytesMin, 2 * (piece?.length ?? 0)))
      piece = Buffer.allocUnsafeSlow(Math.max(wanted, length))
      this.#pieces.push(piece)
      this.#pieceEnd = 0
    }
    for (let from = start, to = this.#pieceEnd; from < end; from++, to++) piece[to] = bytes[from]!
    this.#places.set(key, this.#pieces.length - 1)
    this.#starts.set(key, this.#pieceEnd)
    this.#lengths.set(key, length)
    this.#pieceEnd += length
  }

  #tableOf(hash: number): Table {
    return this.#tables[Math.floor(hash / 0x1_0000_0000) & (tableCount - 1)]!
  }

  /** The slot of a key, or the empty one where it belongs. */
  #slotOf(slots: Int32Array, hash: number, bytes: Uint8Array, start: number, end: number): number {
    const mask = slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const key = slots[slot]! - 1
      if (key === missing || (this.#hashes.at(key) === hash && this.#isKey(key, bytes, start, end))) return slot
    }
  }

  #isKey(key: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#lengths.at(key) !== end - start) return false
    const own = this.#pieces[this.#places.at(key)]!
    for (let a = this.#starts.at(key), b = start; b < end; a++, b++) if (own[a] !== bytes[b]) return false
    return true
  }

  #grow(table: Table): void {
    const { slots: before } = table
    const slots = new Int32Array(2 * before.length)
    const mask = slots.length - 1
    for (const value of before) {
      if (value === 0) continue
      let slot = this.#hashes.at(value - 1) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = value
    }
    table.slots = slots
  }

  /** A view of the key's bytes. */
  bytesOf(key: number): Buffer {
    const start = this.#starts.at(key)
    return this.#pieces[this.#places.at(key)]!.subarray(start, start + this.#lengths.at(key))
  }

  hashOf(key: number): number {
    return this.#hashes.at(key)
  }
}

/** The hash of a key that is asked for by itself. */
export const hashOf = (hash: KeyHash, key: Uint8Array): number => hash(key, 0, key.length)
