// Memory that rebuilt batches lie in: filled from front to back, and used again once nothing in it is kept or lent any more. Memory
// of its own for each read is new to the process every time, and to have the system find it costs as much as to rebuild batches.

import { largeMemory } from '../storage/large-memory.ts'

const windowBytes = 4 * 1024 * 1024
/** Kept for later; what is more is left to the collector. */
const sparesMax = 2

export class Window {
  readonly bytes: Buffer
  /** What comes next begins here. */
  used = 0
  #holds = 0
  readonly #freed: (window: Window) => void

  constructor(byteCount: number, freed: (window: Window) => void) {
    this.bytes = largeMemory(byteCount)
    this.#freed = freed
  }

  get left(): number {
    return this.bytes.length - this.used
  }

  /** Somebody looks at something in it, or keeps it. */
  hold(): void {
    this.#holds++
  }

  release(): void {
    if (--this.#holds > 0) return
    this.used = 0
    this.#freed(this)
  }

  /** Nobody but who fills it has it. */
  get isFree(): boolean {
    return this.#holds === 1
  }
}

export class RunMemory {
  #current: Window | undefined
  readonly #spares: Window[] = []

  /** The one that is being filled. */
  get current(): Window | undefined {
    return this.#current
  }

  /** The same, with room for so many bytes; `most`: nobody will ask for more than that in all. */
  room(byteCount: number, most: number): Window {
    const current = this.#current
    if (current?.isFree === true) current.used = 0
    if (current !== undefined && current.left >= byteCount) return current
    const next = this.#take(byteCount, most)
    next.hold()
    this.#current = next
    current?.release()
    return next
  }

  #take(byteCount: number, most: number): Window {
    const spare = byteCount <= windowBytes ? this.#spares.pop() : undefined
    return spare ?? new Window(Math.max(byteCount, Math.min(windowBytes, most)), this.#freed)
  }

  readonly #freed = (window: Window): void => {
    if (window.bytes.length === windowBytes && this.#spares.length < sparesMax) this.#spares.push(window)
  }
}
