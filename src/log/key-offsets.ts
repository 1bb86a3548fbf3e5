// The newest offset of every key, in memory that is bounded: a key is remembered by a digest of 128 bits, 24 bytes in all,
// so that millions of keys fit where their bytes would not.
//
// Two different keys with one digest would cost a record. The digest is keyed with bytes that no client knows, so nobody
// can look for such keys, and by chance a topic of a billion keys meets them once in 10^20 compactions.

/** Bytes that one key takes: the digest as four int32, the offset as a float64. */
const keyBytes = 24
/** Linear probing slows down beyond. */
const loadMax = 0.75
const slotsMin = 64

export class KeyOffsets {
  #slots: number
  #countMax: number
  #digests: Int32Array
  /** Offset + 1; 0 is an empty slot. */
  #offsets: Float64Array
  readonly #seed: Int32Array
  readonly #digest = new Int32Array(4)
  #count = 0

  /** Room for `keysMax` keys, but for no more than fit into `bytesMax`. `seed`: 32 bytes of chance. */
  constructor(keysMax: number, bytesMax: number, seed: Buffer) {
    const wanted = Math.ceil(keysMax / loadMax) + 1
    this.#slots = Math.max(slotsMin, Math.min(wanted, Math.floor(bytesMax / keyBytes)))
    this.#countMax = Math.floor(this.#slots * loadMax)
    this.#digests = new Int32Array(4 * this.#slots)
    this.#offsets = new Float64Array(this.#slots)
    this.#seed = Int32Array.from({ length: 8 }, (_, i) => seed.readInt32LE(4 * i))
  }

  get count(): number {
    return this.#count
  }

  /** Notes a newer offset of a key; false where there is no room for one more key. */
  put(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
    const slot = this.#slotOf(bytes, start, end)
    if (this.#offsets[slot] === 0) {
      if (this.#count === this.#countMax) return false
      this.#count++
      this.#digests.set(this.#digest, 4 * slot)
    }
    this.#offsets[slot] = offset + 1
    return true
  }

  /** The newest offset that was noted for a key; -1 where there is none. */
  get(bytes: Uint8Array, start: number, end: number): number {
    return this.#offsets[this.#slotOf(bytes, start, end)]! - 1
  }

  /** Twice the room. The digests tell where each key belongs. */
  grow(): void {
    const [digests, offsets, slots] = [this.#digests, this.#offsets, 2 * this.#slots]
    this.#slots = slots
    this.#countMax = Math.floor(slots * loadMax)
    this.#digests = new Int32Array(4 * slots)
    this.#offsets = new Float64Array(slots)
    for (let from = 0; from < offsets.length; from++) {
      if (offsets[from] === 0) continue
      let to = (digests[4 * from]! >>> 0) % slots
      while (this.#offsets[to] !== 0) to = to + 1 === slots ? 0 : to + 1
      this.#digests.set(digests.subarray(4 * from, 4 * from + 4), 4 * to)
      this.#offsets[to] = offsets[from]!
    }
  }

  /** The slot of a key, or the empty one where it belongs. */
  #slotOf(bytes: Uint8Array, start: number, end: number): number {
    const [digests, offsets, digest, seed] = [this.#digests, this.#offsets, this.#digest, this.#seed]
    halfSipHash(bytes, start, end, seed, 0, digest, 0)
    halfSipHash(bytes, start, end, seed, 4, digest, 2)
    for (let slot = (digest[0]! >>> 0) % this.#slots; ; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      if (offsets[slot] === 0) return slot
      const at = 4 * slot
      const isSame =
        digests[at] === digest[0] &&
        digests[at + 1] === digest[1] &&
        digests[at + 2] === digest[2] &&
        digests[at + 3] === digest[3]
      if (isSame) return slot
    }
  }
}

/** How many parts grow by themselves: a power of two. */
const parts = 64

/** The same for as many keys as come, in parts: one that is full grows in a millisecond where all of them would take a hundred. */
export class GrowingKeyOffsets {
  readonly #parts: readonly KeyOffsets[]

  /** `seed`: 32 bytes of chance. */
  constructor(seed: Buffer) {
    // They fill alike: were they of one size, they would all grow at once.
    this.#parts = Array.from({ length: parts }, (_, i) => new KeyOffsets(slotsMin * (1 + i / parts), Infinity, seed))
  }

  put(bytes: Uint8Array, start: number, end: number, offset: number): void {
    const part = this.#partOf(bytes, start, end)
    while (!part.put(bytes, start, end, offset)) part.grow()
  }

  /** The newest offset that was noted for a key; -1 where there is none. */
  get(bytes: Uint8Array, start: number, end: number): number {
    return this.#partOf(bytes, start, end).get(bytes, start, end)
  }

  /** By the end of the key, where most keys differ; those that do not share a part, no more. FNV-1a. */
  #partOf(bytes: Uint8Array, start: number, end: number): KeyOffsets {
    let hash = 0x811c9dc5
    for (let at = Math.max(start, end - 8); at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
    return this.#parts[(hash ^ (hash >>> 16)) & (parts - 1)]!
  }
}

/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson, Bernstein): the keyed hash that needs no more than int32. One loop,
 * with the rounds written out in it and no call, for it runs for every record.
 */
function halfSipHash(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Int32Array,
  keyAt: number,
  out: Int32Array,
  outAt: number,
): void {
  const k0 = key[keyAt]!
  const k1 = key[keyAt + 1]!
  // The two halves of a digest differ in all of their state, so that they do not fall together.
  let v0 = k0 ^ key[keyAt + 2]!
  let v1 = k1 ^ 0xee ^ key[keyAt + 3]!
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const words = ((end - start) >> 2) + 1
  // A step for every word, the last of which holds the length; then two for each half of the output.
  for (let step = 0; step < words + 4; step++) {
    let word = 0
    if (step < words - 1) {
      const at = start + 4 * step
      word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    } else if (step === words - 1) {
      word = (end - start) << 24
      for (let at = start + 4 * step; at < end; at++) word |= bytes[at]! << (8 * (at - start - 4 * step))
    } else if (step === words) v2 ^= 0xee
    else if (step === words + 2) {
      out[outAt] = v1 ^ v3
      v1 ^= 0xdd
    }
    v3 ^= word
    for (let round = 0; round < 2; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    v0 ^= word
  }
  out[outAt + 1] = v1 ^ v3
}
