/** What is done when a turn of the event loop is over: one immediate for everybody, for each costs as much as a small answer. */
export class Turn {
  #waiting: (() => void)[] = []

  atEnd(what: () => void): void {
    if (this.#waiting.push(what) === 1) setImmediate(this.#end)
  }

  readonly #end = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    for (const what of waiting) what()
  }
}
