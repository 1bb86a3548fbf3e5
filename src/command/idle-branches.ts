// Branches that say how long they outlive their last use (`branch.ttl.ms`). Whether one was used is seen by looking again
// and again, so that no record pays for it; a start of the broker counts as use.

import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'

type Seen = { uses: number; at: number }

export class IdleBranches {
  readonly #broker: Broker
  readonly #seen = new Map<string, Seen>()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Looks at every branch; answers those whose time is over. */
  expired(): Topic[] {
    const { lineage, clock } = this.#broker
    const now = clock.now()
    const usedAt = new Map<string, number>()
    const mortal: { topic: Topic; unit: string }[] = []
    for (const id of this.#seen.keys()) if (!lineage.branches.has(id)) this.#seen.delete(id)
    for (const { id, set } of lineage.branches.values()) {
      const topic = this.#broker.topicById(id)
      if (topic === undefined) continue
      // Members of a set live as long as any of them is used.
      const unit = set === undefined ? id : `${set} `
      const at = this.#usedAt(topic, now)
      usedAt.set(unit, Math.max(at, usedAt.get(unit) ?? 0))
      if (topic.config.branchTtlMs >= 0 && topic.config.protection !== 'frozen') mortal.push({ topic, unit })
    }
    return mortal
      .filter(({ topic, unit }) => now - usedAt.get(unit)! > topic.config.branchTtlMs)
      .map(({ topic }) => topic)
  }

  #usedAt({ id, partitions }: Topic, now: number): number {
    const uses = partitions.reduce((sum, partition) => sum + partition.uses, 0)
    const seen = this.#seen.get(id)
    if (seen?.uses === uses) return seen.at
    this.#seen.set(id, { uses, at: now })
    return now
  }
}
