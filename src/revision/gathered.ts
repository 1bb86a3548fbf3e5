// What one read of a pack gives: runs one behind the other, in one piece of memory. Those that come next are rebuilt right behind
// the others where they end, so that hardly anything is copied.

import type { Lease } from '../storage/file.ts'
import type { RunMemory, Window } from './run-memory.ts'

/** A read that has more than this ends rather than to be copied to where there is room for more. */
const copiedBytesMax = 512 * 1024

export class Gathered {
  readonly #memory: RunMemory
  readonly #expected: number
  readonly #most: number
  #window: Window | undefined
  #start = 0
  #end = 0

  /** `expected`: about so many bytes will come; `most`: there are no more. */
  constructor(memory: RunMemory, expected: number, most: number) {
    this.#memory = memory
    this.#expected = expected
    this.#most = most
  }

  get length(): number {
    return this.#end - this.#start
  }

  /** The window that comes next is to be written to, at `used`; undefined where the read ends instead. */
  room(byteCount: number): Window | undefined {
    const window = this.#window
    if (window === undefined) return this.#memory.room(Math.max(byteCount, this.#expected), this.#most)
    const goesOn = window === this.#memory.current && this.#end === window.used
    if (goesOn && window.left >= byteCount) return window
    if (this.length > copiedBytesMax) return undefined
    const next = this.#memory.room(Math.max(this.length + byteCount, this.#expected), this.#most)
    this.#copyTo(next, window)
    return next
  }

  #copyTo(next: Window, from: Window): void {
    // Not by what `copy` answers: to V8 that is a double, and so would be all that is counted from it.
    const start = next.used
    next.used = start + this.length
    from.bytes.copy(next.bytes, start, this.#start, this.#end)
    this.#hold(next)
    this.#start = start
    this.#end = next.used
  }

  /** Adds what lies in a window; false where the read ends instead. */
  add(window: Window, start: number, end: number): boolean {
    if (this.#window === undefined) {
      this.#hold(window)
      this.#start = start
    } else if (window !== this.#window || start !== this.#end) {
      const into = this.room(end - start)
      if (into === undefined) return false
      window.bytes.copy(into.bytes, into.used, start, end)
      into.used += end - start
      this.#end = into.used
      return true
    }
    this.#end = end
    return true
  }

  #hold(window: Window): void {
    window.hold()
    this.#window?.release()
    this.#window = window
  }

  /** At most so many bytes of it. */
  lend(byteCount: number): Lease {
    const window = this.#window
    if (window === undefined) return { bytes: Buffer.alloc(0), release: () => {} }
    window.hold()
    let isLent = true
    return {
      bytes: window.bytes.subarray(this.#start, Math.min(this.#end, this.#start + byteCount)),
      release: () => {
        if (isLent) window.release()
        isLent = false
      },
    }
  }

  /** What is not lent is nobody's. */
  letGo(): void {
    this.#window?.release()
    this.#window = undefined
  }
}
