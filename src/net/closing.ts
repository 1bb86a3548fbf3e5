// The end of a connection, as those who wait on it see it: they are told once, and may stop waiting before.

export class Closing {
  readonly #listeners = new Set<() => void>()
  #hasBegun = false

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  onBegin(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    for (const listener of [...this.#listeners]) listener()
    this.#listeners.clear()
  }
}
