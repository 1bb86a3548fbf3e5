// A topic of the broker's own that is made when somebody first needs it, and until then seen by nobody.

import type { Broker, NewTopic } from './broker.ts'
import type { Topic } from './topic.ts'

export class TopicOnDemand {
  readonly #broker: Broker
  readonly #wanted: NewTopic
  #making: Promise<Topic> | undefined

  constructor(broker: Broker, wanted: NewTopic) {
    this.#broker = broker
    this.#wanted = wanted
  }

  /** Undefined while nobody has needed it. */
  get topic(): Topic | undefined {
    return this.#broker.topic(this.#wanted.name)
  }

  /** Whoever comes while it is being made waits for the same one. Rejects with StorageError. */
  async make(): Promise<Topic> {
    if (this.topic !== undefined) return this.topic
    this.#making ??= this.#broker.createTopics([this.#wanted]).then(([made]) => made!)
    try {
      return await this.#making
    } finally {
      this.#making = undefined
    }
  }
}
