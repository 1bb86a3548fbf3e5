// Branches that say how long they outlive their last use (`branch.ttl.ms`). The others are not looked at: there may be
// thousands, and this is asked several times a second.

import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { LastUses } from './last-uses.ts'

export class IdleBranches {
  readonly #broker: Broker
  readonly #uses = new LastUses()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Looks at every branch that may go, and at those of its set; answers those whose time is over. */
  expired(): Topic[] {
    const { lineage, clock, mortal } = this.#broker
    const now = clock.now()
    const usedAt = new Map<string, number>()
    const looked = new Set<string>()
    const at = (topic: Topic) => {
      looked.add(topic.id)
      return this.#uses.at(topic, now)
    }
    const expired = [...mortal].filter((topic) => {
      if (!lineage.branches.has(topic.id) || topic.config.protection === 'frozen') return false
      const set = lineage.membership(topic.id)?.set
      const unit = set === undefined ? topic.id : `${set} `
      const last = Math.max(at(topic), usedAt.get(unit) ?? Math.max(0, ...this.#membersOf(set).map(at)))
      usedAt.set(unit, last)
      return now - last > topic.config.branchTtlMs
    })
    this.#uses.keep((id) => looked.has(id))
    return expired
  }

  /** Members of a set live as long as any of them is used. */
  #membersOf(set: string | undefined): Topic[] {
    const members = set === undefined ? undefined : this.#broker.lineage.sets.get(set)?.members
    return [...(members?.values() ?? [])].flatMap((id) => this.#broker.topicById(id) ?? [])
  }
}
