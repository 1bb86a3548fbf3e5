// What groups must know of topics: which there are, and how many partitions they have.

import { isJsonTopic } from '../branch/json-topics.ts'
import type { Broker } from '../broker/broker.ts'
import { type SetView, setView } from '../broker/set-view.ts'
import type { Topic } from '../broker/topic.ts'

export type CatalogTopic = { readonly id: string; readonly name: string; readonly partitionCount: number }

export interface Catalog {
  /** Grows whenever a topic comes, grows or goes. */
  readonly version: number
  byName(name: string): CatalogTopic | undefined
  byId(id: string): CatalogTopic | undefined
  /** Names of all topics. */
  names(): readonly string[]
  /** The same for groups of a branch set, which know topics by the names in there. */
  inside?(set: string): Catalog
  /** What a topic is called that is stored under this name. */
  called?(stored: string): string
}

/** The same, of which only these names are told: what somebody names is found all the same. */
export const telling = (catalog: Catalog, isTold: (name: string) => boolean): Catalog => ({
  version: catalog.version,
  byName: (name) => catalog.byName(name),
  byId: (id) => catalog.byId(id),
  names: () => catalog.names().filter(isTold),
})

const entry = (topic: Topic | undefined): CatalogTopic | undefined =>
  topic && { id: topic.id, name: topic.name, partitionCount: topic.partitions.length }

export const catalogOf = (broker: Broker): Catalog => ({
  get version() {
    return broker.topicsVersion
  },
  byName: (name) => entry(broker.topic(name)),
  byId: (id) => entry(broker.topicById(id)),
  // The broker's own topics too: 4.4.0 assigns __consumer_offsets to an expression that matches it. Only clients skip them.
  // What is an API is of no interest to who asks for topics that look like something (extensions.md §1.5).
  names: () => names(broker).filter((name) => !isJsonTopic(name)),
  inside: (set) => catalogInside(setView(broker, set)),
})

const names = (broker: Broker): string[] => broker.listed().map(({ name }) => name)

const catalogInside = (view: SetView): Catalog => {
  const { broker } = view
  const shown = (topic: Topic | undefined) => topic && { ...entry(topic)!, name: view.shown(topic.name) }
  return {
    get version() {
      return broker.topicsVersion
    },
    byName: (name) => shown(broker.topic(view.stored(name))),
    byId: (id) => shown(broker.topicById(id)),
    names: () => names(broker).map((name) => view.shown(name)),
    called: (stored) => view.shown(stored),
  }
}
