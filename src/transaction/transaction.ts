// One transactional id at work: what is known of it, and whether a change is on its way.

import type { TransactionState } from './state.ts'

export class Transaction {
  /** What the log says. Replaced after the log has the next one. */
  state: TransactionState
  /** While a change is under way nobody else may begin one: they are told CONCURRENT_TRANSACTIONS. */
  #busy = false
  readonly #waiting = new Set<() => void>()

  constructor(state: TransactionState) {
    this.state = state
  }

  get isBusy(): boolean {
    return this.#busy
  }

  begin(): void {
    this.#busy = true
  }

  end(): void {
    this.#busy = false
    for (const wake of [...this.#waiting]) wake()
    this.#waiting.clear()
  }

  /** Calls `wake` once, when nothing is under way; until the returned function is called. */
  onIdle(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }
}
