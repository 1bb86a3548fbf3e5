// Which leader wrote from which offset on (KIP-101, KIP-320): what a client asks to find where its history parts from ours.

/** Epochs and start offsets both ascend. */
export type EpochEntry = readonly [epoch: number, startOffset: number]

export class LeaderEpochs {
  #entries: EpochEntry[]

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [...entries]
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  get latest(): number {
    return this.#entries.at(-1)?.[0] ?? -1
  }

  /** Notes that `epoch` writes from `startOffset` on; true where that is news. */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch <= this.latest) return false
    // An epoch of which nothing is left (all was deleted) has no history to tell of.
    while (this.#entries.length > 0 && this.#entries.at(-1)![1] >= startOffset) this.#entries.pop()
    this.#entries.push([epoch, startOffset])
    return true
  }

  /** Epoch of the leader that wrote the record at an offset; -1 where none is known. */
  epochAt(offset: number): number {
    return this.#entries.findLast(([, start]) => start <= offset)?.[0] ?? -1
  }

  /**
   * Where the history of `epoch` ends: the largest known epoch at or below it, and the start of the next one (the log
   * end for the latest). [-1, -1] for an epoch that is not known here.
   */
  endOf(epoch: number, logEndOffset: number): EpochEntry {
    if (epoch === this.latest) return [epoch, logEndOffset]
    const next = this.#entries.findIndex(([known]) => known > epoch)
    if (next === -1 || epoch < 0) return [-1, -1]
    if (next === 0) return [epoch, this.#entries[0]![1]]
    return [this.#entries[next - 1]![0], this.#entries[next]![1]]
  }

  /** Forgets what began above the log end: a power cut took it. */
  endAt(logEndOffset: number): void {
    this.#entries = this.#entries.filter(([, start]) => start <= logEndOffset)
  }

  /** Forgets what lies wholly below the log start; the epoch that reaches over it begins there. */
  startAt(logStartOffset: number): void {
    const first = this.#entries.findLastIndex(([, start]) => start <= logStartOffset)
    if (first === -1) return
    const [epoch] = this.#entries[first]!
    this.#entries = [[epoch, logStartOffset], ...this.#entries.slice(first + 1)]
  }
}
