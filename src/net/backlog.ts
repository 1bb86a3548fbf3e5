// Answers that their clients do not take. One connection may have some megabytes of them, so that pipelining is worth it;
// thousands that never read may not: beyond a sum each gets its next answer when it has taken the last.

/** What one connection may have lying: while all have little, and once they have much. */
const bytesMax = 8 * 1024 * 1024
const strictBytesMax = 64 * 1024
/** Much. */
const sumBytesMax = 64 * 1024 * 1024

export class Backlog {
  #sum = 0

  get sumBytes(): number {
    return this.#sum
  }

  /** What one connection may have lying before it is listened to no more. */
  get bytesMax(): number {
    return this.#sum > sumBytesMax ? strictBytesMax : bytesMax
  }

  /** A connection has so many bytes lying instead of `before`; what counts of them, for the next time. */
  note(before: number, byteCount: number): number {
    const counted = byteCount > strictBytesMax ? byteCount : 0
    this.#sum += counted - before
    return counted
  }
}
