// A rate that is held: tokens come in evenly up to a capacity, what is used is taken, into the red if it must be, and
// whoever is in the red waits. So a long run uses what the rate gives, however large the single pieces are.

export type Flow = {
  /** Tokens a second. */
  readonly rate: number
  readonly capacity: number
}

export class TokenBucket {
  #tokens: number
  #at: number

  constructor(tokens: number, now: number) {
    this.#tokens = tokens
    this.#at = now
  }

  #fill({ rate, capacity }: Flow, now: number): void {
    // A clock that was set back gives nothing, and takes nothing.
    const elapsedMs = Math.max(0, now - this.#at)
    this.#tokens = Math.min(capacity, this.#tokens + (elapsedMs * rate) / 1000)
    this.#at = now
  }

  /** Takes tokens; how long until none are owed, in ms. */
  take(cost: number, flow: Flow, now: number): number {
    this.#fill(flow, now)
    this.#tokens -= cost
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / flow.rate)
  }

  /** How long until none are owed, in ms. */
  owedMs(flow: Flow, now: number): number {
    return this.take(0, flow, now)
  }

  isFull(now: number, flow: Flow): boolean {
    this.#fill(flow, now)
    return this.#tokens >= flow.capacity
  }
}
