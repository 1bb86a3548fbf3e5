// The records by which topics come to be and grow.

import { type Clock, randomId } from '../storage/clock.ts'
import type { Leaderships } from './leaderships.ts'
import type { MetadataRecord } from './metadata-log.ts'
import { memberships, type NewTopic } from './new-topic.ts'
import type { Topic } from './topic.ts'

/** Replicas of `count` partitions from `first` on, of a topic that is dealt out `turn` topics behind those there are. */
export type Deal = (
  topic: Omit<NewTopic, 'partitions'>,
  first: number,
  count: number,
) => NonNullable<NewTopic['replicas']>
type Rooms = { readonly clock: Clock; readonly leaderships: Leaderships; readonly deal: Deal }
export type Made = Extract<MetadataRecord, { type: 'topic' }>

/** Topics that are made: their number of partitions is said, and so is every configuration. */
export function recordsOfNew(
  topics: readonly NewTopic[],
  configsOf: (topic: NewTopic) => Record<string, string>,
  { clock, leaderships, deal }: Rooms,
): { made: Made[]; records: MetadataRecord[] } {
  const made = topics.map((topic): Made => {
    const { name, partitions } = topic
    return { v: 1, type: 'topic', id: randomId(clock), name, partitions, configs: configsOf(topic), at: clock.now() }
  })
  const dealt = made.flatMap(({ id, partitions }, i) => leaderships.dealt(id, 0, deal(topics[i]!, i, partitions)))
  return { made, records: [...made, ...dealt, ...memberships(topics, made)] }
}

/** Topics that all grow to `count`; `replicas` are those of the first. */
export function recordsOfGrowth(
  topics: readonly Topic[],
  count: number,
  replicas: NewTopic['replicas'],
  { leaderships, deal }: Omit<Rooms, 'clock'>,
): MetadataRecord[] {
  return topics.flatMap((topic, i) => {
    const first = topic.partitions.length
    const replicationFactor = topic.partitions[0]!.leadership.replicas.length
    const wanted = { name: topic.name, configs: {}, replicationFactor }
    const chosen = i > 0 || replicas === undefined ? wanted : { ...wanted, replicas }
    const dealt = leaderships.dealt(topic.id, first, deal(chosen, first, count - first))
    return [{ v: 1, type: 'partitions', id: topic.id, count }, ...dealt]
  })
}
