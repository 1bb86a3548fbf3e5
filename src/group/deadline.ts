// A moment that keeps moving away: each heartbeat pushes it. Pushing costs no timer, only a look at the clock.

import type { Clock, Timer } from '../storage/clock.ts'

/** A timer may be this late, or this long, before we blame the clock. */
const jumpMs = 1_000

export class Deadline {
  readonly #clock: Clock
  readonly #passed: () => void
  #at = 0
  #waitMs = 0
  /** When the timer that is set will fire. Invariant: never later than `#at`. */
  #firesAt = Number.POSITIVE_INFINITY
  #timer: Timer | undefined

  constructor(clock: Clock, passed: () => void) {
    this.#clock = clock
    this.#passed = passed
  }

  /** The deadline is `waitMs` from now, whatever it was. */
  push(waitMs: number): void {
    this.#at = this.#clock.now() + waitMs
    this.#waitMs = waitMs
    if (this.#timer !== undefined && this.#firesAt <= this.#at) return
    this.#timer?.cancel()
    this.#set(waitMs)
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #set(waitMs: number): void {
    this.#firesAt = this.#clock.now() + waitMs
    this.#timer = this.#clock.after(waitMs, () => this.#fire())
  }

  #fire(): void {
    this.#timer = undefined
    const leftMs = this.#at - this.#clock.now()
    // The wall clock was set, or the machine slept: nobody could push, so the whole wait begins again.
    if (Math.abs(leftMs) > this.#waitMs + jumpMs) this.push(this.#waitMs)
    else if (leftMs > 0) this.#set(leftMs)
    else this.#passed()
  }
}
