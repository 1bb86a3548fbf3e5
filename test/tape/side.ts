// One broker that a tape is played to: connections by the tape's numbers, questions in its words, answers in the tape's.

import { Wire } from '../net/wire.ts'
import { Aliases } from './aliases.ts'
import { type Ask, readAnswer, writeAsk } from './frame.ts'

/** What a request came to: the body in the tape's words, or what happened instead. */
export type Outcome = Record<string, unknown> | string

export class PlayedSide {
  readonly bootstrap: string
  readonly aliases = new Aliases()
  readonly #wires = new Map<number, Wire>()

  constructor(bootstrap: string) {
    this.bootstrap = bootstrap
  }

  async open(connection: number): Promise<void> {
    this.#wires.set(connection, await Wire.open(this.bootstrap))
  }

  close(connection: number): void {
    this.#wires.get(connection)?.drop()
    this.#wires.delete(connection)
  }

  closeAll(): void {
    for (const connection of [...this.#wires.keys()]) this.close(connection)
  }

  ask(connection: number, ask: Ask): void {
    const body = this.aliases.toLive(this.aliases.withEpoch(ask.body)) as Record<string, unknown>
    this.#wires.get(connection)?.send(writeAsk({ ...ask, body }))
  }

  send(connection: number, bytes: Buffer): void {
    this.#wires.get(connection)?.send(bytes)
  }

  /** The next answer on a connection, read as the answer to `ask`. `taped`: what the tape has, to learn ids from. */
  async answer(connection: number, ask: Ask, taped: Outcome | undefined, waitMs: number): Promise<Outcome> {
    const frame = (await this.#wires.get(connection)?.frame(waitMs)) ?? 'closed'
    if (typeof frame === 'string') return frame
    const live = readAnswer(ask, frame)
    if (taped === undefined) this.aliases.meet(live)
    else this.aliases.learn(taped, live)
    if (/^(Consumer|Share)GroupDescribe$/.test(ask.table.name))
      return this.aliases.withTapedEpochs(this.aliases.toTaped(live)) as Outcome
    if (!ask.table.name.endsWith('GroupHeartbeat')) return this.aliases.toTaped(live) as Outcome
    if (typeof taped === 'object' && typeof live === 'object') this.aliases.learnEpoch(ask.body, taped, live)
    return this.aliases.withTapedEpoch(ask.body, this.aliases.toTaped(live)) as Outcome
  }
}
