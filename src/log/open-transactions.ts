// Which transactions of a log keep readers of committed data back: those that are open, and those that are decided by a
// marker which is not below the high watermark yet (KIP-98).

/** A transaction that was taken back, as Fetch tells readers of committed data. */
export type AbortedTransaction = {
  producerId: number
  firstOffset: number
  /** Where its marker stands. */
  lastOffset: number
  /** Below it everything was decided once the marker stood. */
  lastStableOffset: number
}

export class OpenTransactions {
  /** Producer by first offset of its open transaction. Begun in the order of offsets, so the first is the lowest. */
  readonly #open = new Map<number, number>()
  /** In the order of their markers. */
  #decided: { firstOffset: number; markerOffset: number }[] = []
  /** Lowest first offset among the decided ones. */
  #lowestDecided = Infinity

  /** First offset of the oldest open one; Infinity where none is open. */
  get firstOpen(): number {
    if (this.#open.size === 0) return Infinity
    for (const offset of this.#open.keys()) return offset
    return Infinity
  }

  begin(firstOffset: number, producerId: number): void {
    this.#open.set(firstOffset, producerId)
  }

  decide(firstOffset: number, markerOffset: number): void {
    this.#open.delete(firstOffset)
    this.#decided.push({ firstOffset, markerOffset })
    this.#lowestDecided = Math.min(this.#lowestDecided, firstOffset)
  }

  forgetOpen(): void {
    this.#open.clear()
  }

  /** Forgets the decided ones whose marker everybody may see. */
  settle(highWatermark: number): void {
    const decided = this.#decided
    if (decided.length === 0 || decided[0]!.markerOffset >= highWatermark) return
    this.#decided = decided.filter(({ markerOffset }) => markerOffset >= highWatermark)
    this.#lowestDecided = this.#decided.reduce((low, { firstOffset }) => Math.min(low, firstOffset), Infinity)
  }

  /** Offset of the first record that may yet be taken back; Infinity where there is none. */
  firstUnstable(highWatermark: number): number {
    this.settle(highWatermark)
    return Math.min(this.firstOpen, this.#lowestDecided)
  }
}
