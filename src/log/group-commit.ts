// One flush runs at a time; all who come meanwhile share the next one.

export class GroupCommit {
  readonly #work: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** `work` makes durable whatever is there when it begins. */
  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  /** Resolves when work that began after the call is done; rejects as it does. */
  run(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#work().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.run()
      })
    return this.#next
  }
}
