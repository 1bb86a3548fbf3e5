// In which part of a partition a key was last written, by the key's hash alone: twelve bytes for each hash, whatever the
// keys are. The answer is a hint: two keys may share a hash, so the part is asked for the key itself.

const loadMax = 0.7
const slotsMin = 256

export class NewestParts {
  /** Number of the part; 0 is an empty slot. */
  #parts = new Int32Array(slotsMin)
  #hashes = new Float64Array(slotsMin)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Room for so many without growing on the way. */
  reserve(count: number): void {
    let slots = this.#parts.length
    while (count > loadMax * slots) slots *= 2
    if (slots > this.#parts.length) this.#grow(slots)
  }

  /** From now on `part` (above 0) is the newest with such a key. */
  put(hash: number, part: number): void {
    const slot = this.#slotOf(hash)
    if (this.#parts[slot] === 0) {
      this.#hashes[slot] = hash
      this.#count++
    }
    this.#parts[slot] = part
    if (this.#count > loadMax * this.#parts.length) this.#grow(2 * this.#parts.length)
  }

  /** 0 where no part has such a key. */
  get(hash: number): number {
    return this.#parts[this.#slotOf(hash)]!
  }

  #slotOf(hash: number): number {
    const [parts, hashes] = [this.#parts, this.#hashes]
    const mask = parts.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      if (parts[slot] === 0 || hashes[slot] === hash) return slot
    }
  }

  #grow(slots: number): void {
    const [parts, hashes] = [this.#parts, this.#hashes]
    this.#parts = new Int32Array(slots)
    this.#hashes = new Float64Array(slots)
    for (let from = 0; from < parts.length; from++) {
      if (parts[from] === 0) continue
      const to = this.#slotOf(hashes[from]!)
      this.#parts[to] = parts[from]!
      this.#hashes[to] = hashes[from]!
    }
  }
}
