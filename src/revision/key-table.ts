// Keys by number: each key's bytes once, found by hash and confirmed by the bytes. A million keys are a few arrays.
//
//   hashes | end of the key's bytes      by the key's number
//   slots                                number + 1, found by the hash

import type { KeyHash } from './key-hash.ts'

/** No such key. */
const missing = -1
/** Linear probing slows down beyond. */
const loadMax = 0.7
const keysMin = 64
const slotsMin = 128

export class KeyTable {
  #count = 0
  #hashes = new Float64Array(keysMin)
  #ends = new Float64Array(keysMin)
  #bytes = Buffer.allocUnsafe(1024)
  #slots = new Int32Array(slotsMin)

  get count(): number {
    return this.#count
  }

  /** Memory that it takes. */
  get byteCount(): number {
    return 16 * this.#hashes.length + 4 * this.#slots.length + this.#bytes.length
  }

  /** The number of a key; -1 where it was never put. */
  find(hash: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
    return this.#slots[this.#slotOf(hash, bytes, start, end)]! - 1
  }

  /** The number of a key, which is the count of keys before if it is new. */
  put(hash: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
    const slot = this.#slotOf(hash, bytes, start, end)
    const known = this.#slots[slot]! - 1
    if (known !== missing) return known
    const key = this.#count++
    if (key === this.#hashes.length) {
      this.#hashes = enlarged(this.#hashes, new Float64Array(2 * key))
      this.#ends = enlarged(this.#ends, new Float64Array(2 * key))
    }
    const at = this.#startOf(key)
    const after = at + end - start
    if (after > this.#bytes.length) {
      const bigger = Buffer.allocUnsafe(Math.max(after, 2 * this.#bytes.length))
      this.#bytes.copy(bigger, 0, 0, at)
      this.#bytes = bigger
    }
    for (let from = start, to = at; from < end; from++, to++) this.#bytes[to] = bytes[from]!
    this.#hashes[key] = hash
    this.#ends[key] = after
    this.#slots[slot] = key + 1
    if (this.#count > loadMax * this.#slots.length) this.#growSlots()
    return key
  }

  #startOf(key: number): number {
    return key === 0 ? 0 : this.#ends[key - 1]!
  }

  /** The slot of a key, or the empty one where it belongs. */
  #slotOf(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const [slots, hashes] = [this.#slots, this.#hashes]
    const mask = slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const key = slots[slot]! - 1
      if (key === missing || (hashes[key] === hash && this.#isKey(key, bytes, start, end))) return slot
    }
  }

  #isKey(key: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#bytes
    const at = this.#startOf(key)
    if (this.#ends[key]! - at !== end - start) return false
    for (let a = at, b = start; b < end; a++, b++) if (own[a] !== bytes[b]) return false
    return true
  }

  #growSlots(): void {
    const slots = new Int32Array(2 * this.#slots.length)
    const mask = slots.length - 1
    for (let key = 0; key < this.#count; key++) {
      let slot = this.#hashes[key]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = key + 1
    }
    this.#slots = slots
  }

  /** A view of the key's bytes. */
  bytesOf(key: number): Buffer {
    return this.#bytes.subarray(this.#startOf(key), this.#ends[key])
  }

  hashOf(key: number): number {
    return this.#hashes[key]!
  }

  /** Of all keys, by their numbers. */
  get hashes(): Float64Array {
    return this.#hashes.subarray(0, this.#count)
  }
}

/** The hash of a key that is asked for by itself. */
export const hashOf = (hash: KeyHash, key: Uint8Array): number => hash(key, 0, key.length)

export function enlarged<T extends Uint32Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
