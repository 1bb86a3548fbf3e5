// In which part of a partition a key was last written, by the key's hash alone: twelve bytes for each hash, whatever the
// keys are. The answer is a hint: two keys may share a hash, so the part is asked for the key itself.
//
// Many small tables, by the upper bits of the hash: each grows by itself, so nobody waits while a million slots are filled anew.

const tableCount = 64
const slotsMin = 16
const loadMax = 0.7

class Table {
  /** Number of the part; 0 is an empty slot. */
  #parts = new Int32Array(slotsMin)
  #hashes = new Float64Array(slotsMin)
  count = 0

  put(hash: number, part: number): void {
    const slot = this.#slotOf(hash)
    if (this.#parts[slot] === 0) {
      this.#hashes[slot] = hash
      this.count++
    }
    this.#parts[slot] = part
    if (this.count > loadMax * this.#parts.length) this.#grow()
  }

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

  #grow(): void {
    const [parts, hashes] = [this.#parts, this.#hashes]
    this.#parts = new Int32Array(2 * parts.length)
    this.#hashes = new Float64Array(2 * parts.length)
    for (let from = 0; from < parts.length; from++) {
      if (parts[from] === 0) continue
      const to = this.#slotOf(hashes[from]!)
      this.#parts[to] = parts[from]!
      this.#hashes[to] = hashes[from]!
    }
  }
}

/** The table of a hash of 53 bits. */
const tableOf = (hash: number): number => Math.floor(hash / 0x1_0000_0000) & (tableCount - 1)

export class NewestParts {
  readonly #tables = Array.from({ length: tableCount }, () => new Table())

  /** From now on `part` (above 0) is the newest with such a key. */
  put(hash: number, part: number): void {
    this.#tables[tableOf(hash)]!.put(hash, part)
  }

  /** 0 where no part has such a key. */
  get(hash: number): number {
    return this.#tables[tableOf(hash)]!.get(hash)
  }
}
