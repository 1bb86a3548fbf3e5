// Branches as handlers, commands and programs know them: what can be done, and who is told of it.

import { Refusal } from '../../protocol/errors.ts'
import type { ForkRecord } from '../branch/lineage.ts'
import { randomId } from '../storage/clock.ts'
import { type ForkRefusals, planFork } from './fork-plan.ts'
import type { ForkRequest } from './fork-request.ts'
import { carryOut, type Rooms } from './forking.ts'

type OnForked = (record: ForkRecord) => Promise<void>

export class Branches {
  readonly #rooms: Rooms
  readonly #onForked: OnForked[] = []

  constructor(rooms: Rooms) {
    this.#rooms = rooms
  }

  /** Calls `listener` when a fork is true; whoever asked for it is answered after that. */
  onForked(listener: OnForked): void {
    this.#onForked.push(listener)
  }

  /** What stands against a fork, by the names of its branches; nothing is done. */
  check(request: ForkRequest): ForkRefusals {
    const { broker, groups } = this.#rooms
    return planFork(request, broker, groups).refusals
  }

  /** One cut: all topics are there and durable when it resolves, or none is and the refusals tell why. */
  async fork(request: ForkRequest): Promise<ForkRecord | ForkRefusals> {
    const { broker, groups } = this.#rooms
    // Judged and cut in the same turn.
    const { planned, refusals } = planFork(request, broker, groups)
    if (refusals.size > 0) return refusals
    const { id = `fork-${randomId(broker.clock)}`, by, set } = request
    const record = await carryOut(planned, { id, by, set }, this.#rooms)
    if (record instanceof Refusal) return new Map(request.topics.map(({ to }) => [to, record]))
    for (const listener of this.#onForked) await listener(record)
    return record
  }
}
