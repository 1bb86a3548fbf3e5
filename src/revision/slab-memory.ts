// Memory of slabs that the cache let go, for those that come next: to have the system find it, page by page, takes as long as to lay out
// what is to lie in it.

import { largeMemory, largePageBytes } from '../storage/large-memory.ts'

export class SlabMemory {
  readonly #isWanted: (byteCount: number) => boolean
  readonly #spares: Buffer[] = []
  /** Whoever is in the middle of something may still look at these. */
  readonly #leaving: Buffer[] = []

  /** `isWanted`: whether so many bytes may lie by for later. */
  constructor(isWanted: (byteCount: number) => boolean) {
    this.#isWanted = isWanted
  }

  /** So many bytes: what lies in them is anything. */
  take(byteCount: number): Buffer {
    return (byteCount === largePageBytes ? this.#spares.pop() : undefined) ?? largeMemory(byteCount)
  }

  letGo(bytes: Buffer): void {
    const byteCount = (this.#spares.length + this.#leaving.length + 1) * largePageBytes
    if (bytes.length === largePageBytes && this.#isWanted(byteCount)) this.#leaving.push(bytes)
  }

  /** Nobody looks at what was let go any more: from here on it is written over. */
  settle(): void {
    if (this.#leaving.length > 0) this.#spares.push(...this.#leaving.splice(0))
    if (this.#spares.length > 0 && !this.#isWanted(this.#spares.length * largePageBytes)) this.#spares.pop()
  }
}
