// Holds the producers of a partition back for a moment: what a merge has planned is held against what arrived since, and
// written, before anybody writes on (extensions §1.4 e). Who waits keeps his place on his connection.

/** All gates of a broker: hardly ever is one closed, and while none is nobody need look at his own. */
export class Gates {
  closedCount = 0

  get anyClosed(): boolean {
    return this.closedCount > 0
  }
}

export class Gate {
  readonly #all: Gates
  #opened: Promise<void> | undefined
  #open = () => {}

  constructor(all = new Gates()) {
    this.#all = all
  }

  /** Resolves when producers may write again; undefined while they may. */
  get closed(): Promise<void> | undefined {
    return this.#opened
  }

  /**
   * Closes it until the returned function is called; one at a time. Whoever saw it open may write until the end of the turn
   * of the event loop.
   */
  close(): () => void {
    if (this.#opened !== undefined) throw new Error('the gate is closed already')
    this.#all.closedCount++
    this.#opened = new Promise((resolve) => {
      this.#open = resolve
    })
    return () => {
      this.#all.closedCount--
      this.#opened = undefined
      this.#open()
    }
  }
}
