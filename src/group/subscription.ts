// What the members of a consumer group subscribe to: names, and what regular expressions stand for among the topics.

import type { Refusal } from '../../protocol/errors.ts'
import type { Catalog, CatalogTopic } from './catalog.ts'
import type { ConsumerMember, ConsumerState } from './consumer-state.ts'
import { RegularExpression } from './regular-expression.ts'

/** Names of topics that need not exist. */
export function* namesOf({ topics, regex }: ConsumerMember, { regexes }: ConsumerState): Generator<string> {
  yield* topics
  if (regex !== null && regex !== '') yield* regexes.get(regex)?.topics ?? []
}

/** Ids of the topics that exist. */
export function topicIdsOf(member: ConsumerMember, state: ConsumerState, catalog: Catalog): Set<string> {
  const ids = new Set<string>()
  for (const name of namesOf(member, state)) {
    const topic = catalog.byName(name)
    if (topic !== undefined) ids.add(topic.id)
  }
  return ids
}

/** The topics that somebody subscribes to, in the order of their names. */
export function subscribedTopics(state: ConsumerState, catalog: Catalog): CatalogTopic[] {
  const names = new Set<string>()
  for (const member of state.members.values()) for (const name of namesOf(member, state)) names.add(name)
  return [...names].sort().flatMap((name) => catalog.byName(name) ?? [])
}

/** Names that the expression matches; none for the empty one, which stands for no expression. */
export function resolve(regex: string, catalog: Catalog): string[] | Refusal {
  if (regex === '') return []
  const expression = RegularExpression.parse(regex)
  return expression instanceof RegularExpression
    ? catalog.names().filter((name) => expression.matches(name))
    : expression
}

/**
 * A number that changes when subscribed topics come, grow or go (KIP-1101). Kafka's is another one: it is only ever
 * compared with what the same broker wrote. 0: no topics.
 */
export function metadataHash(state: ConsumerState, catalog: Catalog): number {
  const topics = subscribedTopics(state, catalog)
  if (topics.length === 0) return 0
  let [low, high] = [0x811c9dc5, 0x01000193]
  for (const char of topics.map(({ id, partitionCount }) => `${id} ${partitionCount},`).join('')) {
    low = Math.imul(low ^ char.charCodeAt(0), 0x01000193)
    high = Math.imul(high ^ char.charCodeAt(0), 0x85ebca6b) + 1
  }
  // 52 bits: offsets, hashes and all other int64 are numbers here.
  return (high >>> 12) * 0x1_0000_0000 + (low >>> 0)
}
