// Holds the producers of a partition back for a moment: what a merge has planned is held against what arrived since, and
// written, before anybody writes on (extensions §1.4 e). Who waits keeps his place on his connection.

let closedCount = 0

/** Whether any gate of this process is closed: hardly ever, and then nobody need look at his own. */
export const anyGateClosed = (): boolean => closedCount > 0

export class Gate {
  #opened: Promise<void> | undefined
  #open = () => {}

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
    closedCount++
    this.#opened = new Promise((resolve) => {
      this.#open = resolve
    })
    return () => {
      closedCount--
      this.#opened = undefined
      this.#open()
    }
  }
}
