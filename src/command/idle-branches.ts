// Branches that say how long they outlive their last use (`branch.ttl.ms`).

import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { LastUses } from './last-uses.ts'

export class IdleBranches {
  readonly #broker: Broker
  readonly #uses = new LastUses()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Looks at every branch; answers those whose time is over. */
  expired(): Topic[] {
    const { lineage, clock } = this.#broker
    const now = clock.now()
    const usedAt = new Map<string, number>()
    const mortal: { topic: Topic; unit: string }[] = []
    this.#uses.keep((id) => lineage.branches.has(id))
    for (const { id, set } of lineage.branches.values()) {
      const topic = this.#broker.topicById(id)
      if (topic === undefined) continue
      // Members of a set live as long as any of them is used.
      const unit = set === undefined ? id : `${set} `
      const at = this.#uses.at(topic, now)
      usedAt.set(unit, Math.max(at, usedAt.get(unit) ?? 0))
      if (topic.config.branchTtlMs >= 0 && topic.config.protection !== 'frozen') mortal.push({ topic, unit })
    }
    return mortal
      .filter(({ topic, unit }) => now - usedAt.get(unit)! > topic.config.branchTtlMs)
      .map(({ topic }) => topic)
  }
}
