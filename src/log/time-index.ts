// From which offset on a segment holds times later than a given one.
//
//   float64 largest timestamp so far, ms | float64 relative offset up to which (inclusive) no record is later

export class TimeIndex {
  #entries: Float64Array
  #count: number

  constructor(entries: Float64Array = new Float64Array(0)) {
    this.#entries = entries
    this.#count = entries.length / 2
  }

  get count(): number {
    return this.#count
  }

  get entries(): Float64Array {
    return this.#entries.subarray(0, 2 * this.#count)
  }

  /** Keeps timestamps strictly ascending: an entry that does not raise the largest one says nothing new. */
  add(timestamp: number, relativeOffset: number): void {
    const at = 2 * this.#count
    if (at > 0 && timestamp <= this.#entries[at - 2]!) return
    if (at === this.#entries.length) {
      const bigger = new Float64Array(Math.max(64, 2 * at))
      bigger.set(this.#entries)
      this.#entries = bigger
    }
    this.#entries[at] = timestamp
    this.#entries[at + 1] = relativeOffset
    this.#count++
  }

  /** First relative offset that can hold a record of `timestamp` or later. */
  startOf(timestamp: number): number {
    const entries = this.#entries
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (entries[2 * middle]! < timestamp) low = middle + 1
      else high = middle
    }
    return low === 0 ? 0 : entries[2 * low - 1]! + 1
  }

  /** The entries that speak of offsets below one only, thinned out to at most `countMax`. */
  below(relativeOffset: number, countMax: number): TimeIndex {
    const thinned = new TimeIndex()
    const count = this.#countBelow(relativeOffset)
    const step = Math.ceil(count / countMax)
    for (let i = 0; i < count; i += step) thinned.add(this.#entries[2 * i]!, this.#entries[2 * i + 1]!)
    return thinned
  }

  /** Largest timestamp known below a relative offset, and up to where it is the largest; -1 twice where none is known. */
  last(relativeOffset: number): readonly [timestamp: number, upTo: number] {
    const count = this.#countBelow(relativeOffset)
    return count === 0 ? [-1, -1] : [this.#entries[2 * count - 2]!, this.#entries[2 * count - 1]!]
  }

  #countBelow(relativeOffset: number): number {
    let count = 0
    while (count < this.#count && this.#entries[2 * count + 1]! < relativeOffset) count++
    return count
  }
}
