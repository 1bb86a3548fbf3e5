// What all connections together may hold of requests that are not answered yet (`queued.max.request.bytes`). As with Kafka's
// pool a request is given its whole length before more of it is read, and the last one in may go beyond the limit: so
// whoever has begun can end, and nobody waits for somebody who waits.

export class RequestMemory {
  readonly #bytesMax: number
  #usedBytes = 0
  /** Connections that are not read from until there is room, longest waiting first. */
  readonly #waiting = new Set<() => void>()

  /** `bytesMax`: 0 or less is no limit. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax > 0 ? bytesMax : Infinity
  }

  /** Without one nobody has to ask. */
  get isLimited(): boolean {
    return this.#bytesMax !== Infinity
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /** Room for a request that is still coming; false where there is none. */
  take(byteCount: number): boolean {
    if (this.#usedBytes >= this.#bytesMax) return false
    this.#usedBytes += byteCount
    return true
  }

  /** A request that is here already waits for its answer: it takes its room in any case. */
  hold(byteCount: number): void {
    this.#usedBytes += byteCount
  }

  give(byteCount: number): void {
    this.#usedBytes -= byteCount
    for (const resume of this.#waiting) {
      if (this.#usedBytes >= this.#bytesMax) return
      this.#waiting.delete(resume)
      resume()
    }
  }

  /** Calls `resume` once, when there is room. */
  await(resume: () => void): void {
    this.#waiting.add(resume)
  }

  forget(resume: () => void): void {
    this.#waiting.delete(resume)
  }
}
