// Views that say how long they outlive their last fetch (`view.ttl.ms`): who asks one question makes a view for it, and need
// not stay to take it away.

import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { LastUses } from './last-uses.ts'

export class IdleViews {
  readonly #broker: Broker
  readonly #uses = new LastUses()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Looks at every view; answers those whose time is over. */
  expired(): Topic[] {
    const { views, clock } = this.#broker
    const now = clock.now()
    this.#uses.keep((id) => this.#broker.topicById(id) !== undefined)
    return [...views].filter((topic) => {
      const ttlMs = topic.config.view?.ttlMs ?? -1
      return ttlMs >= 0 && now - this.#uses.at(topic, now) > ttlMs
    })
  }
}
