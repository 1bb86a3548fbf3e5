// What lies damaged in a partition that is served all the same: who asks for it is refused, and whoever runs the broker is told where
// it is, once.

import { Corruption, DamagedRecords } from '../../protocol/errors.ts'

export class Damages {
  readonly #folder: string
  readonly #said = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Answers the error. */
  say(cause: unknown): unknown {
    const isDamage = cause instanceof DamagedRecords || cause instanceof Corruption
    if (!isDamage || this.#said.has(cause.message)) return cause
    this.#said.add(cause.message)
    console.error(`Partition ${this.#folder} is damaged: ${cause.message}`)
    return cause
  }
}
