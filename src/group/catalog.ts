// What groups must know of topics: which there are, and how many partitions they have.

import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'

export type CatalogTopic = { readonly id: string; readonly name: string; readonly partitionCount: number }

export interface Catalog {
  /** Grows whenever a topic comes, grows or goes. */
  readonly version: number
  byName(name: string): CatalogTopic | undefined
  byId(id: string): CatalogTopic | undefined
  /** Names of all topics. */
  names(): readonly string[]
}

const entry = (topic: Topic | undefined): CatalogTopic | undefined =>
  topic && { id: topic.id, name: topic.name, partitionCount: topic.partitions.length }

export const catalogOf = (broker: Broker): Catalog => ({
  get version() {
    return broker.topicsVersion
  },
  byName: (name) => entry(broker.topic(name)),
  byId: (id) => entry(broker.topicById(id)),
  // The broker's own topics too: 4.4.0 assigns __consumer_offsets to an expression that matches it. Only clients skip them.
  names: () => broker.topics().map(({ name }) => name),
})
