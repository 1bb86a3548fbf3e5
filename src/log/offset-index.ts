// Where in a segment an offset lies: one entry for every index.interval.bytes of batches, found by halving.
//
//   int32 relative offset of a batch's first record | int32 position of the batch in the segment file

export class OffsetIndex {
  #entries: Int32Array
  #count: number

  constructor(entries: Int32Array = new Int32Array(0)) {
    this.#entries = entries
    this.#count = entries.length / 2
  }

  get count(): number {
    return this.#count
  }

  get entries(): Int32Array {
    return this.#entries.subarray(0, 2 * this.#count)
  }

  add(relativeOffset: number, position: number): void {
    const at = 2 * this.#count++
    if (at === this.#entries.length) {
      const bigger = new Int32Array(Math.max(64, 2 * at))
      bigger.set(this.#entries)
      this.#entries = bigger
    }
    this.#entries[at] = relativeOffset
    this.#entries[at + 1] = position
  }

  /** Position of the last indexed batch that begins at or below the offset; 0 if none does. */
  floor(relativeOffset: number): number {
    const entries = this.#entries
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (entries[2 * middle]! <= relativeOffset) low = middle + 1
      else high = middle
    }
    return low === 0 ? 0 : entries[2 * low - 1]!
  }

  /** The entries of batches below a position, thinned out to at most `countMax`. */
  below(position: number, countMax: number): OffsetIndex {
    const thinned = new OffsetIndex()
    let count = 0
    while (count < this.#count && this.#entries[2 * count + 1]! < position) count++
    const step = Math.ceil(count / countMax)
    for (let i = 0; i < count; i += step) thinned.add(this.#entries[2 * i]!, this.#entries[2 * i + 1]!)
    return thinned
  }
}
