// Which topics a merge is about, and what stands against it before a record is read.

import type { MergeCommand, Pair, PlanCommand, Strategy } from '../branch/commands.ts'
import { Rejection } from '../branch/events.ts'
import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { noSet, noTopic, orphan } from './not-there.ts'
import { seatsOf } from './set-seats.ts'

export type TopicPair = { readonly from: Topic; readonly into: Topic; readonly strategy: Strategy }

export type Asked = PlanCommand | MergeCommand

export function pairsOf(asked: Asked, broker: Broker): TopicPair[] | Rejection {
  const named = namedPairs(asked.pair, broker)
  if (named instanceof Rejection) return named
  const pairs = named.map(({ from, into }) => ({ from, into, strategy: asked.strategy ?? usualStrategy(into) }))
  for (const pair of pairs) {
    const problem = problemOf(pair, asked, broker)
    if (problem !== undefined) return problem
  }
  const strange = asked.reads.find(({ topic }) =>
    pairs.every(({ from, into }) => ![from.name, into.name].includes(topic)),
  )
  if (strange === undefined) return pairs
  const message = `reads names '${strange.topic}', which is no topic of this merge; name the target.`
  return new Rejection('INVALID_COMMAND', message)
}

/** By key where keys are what the topic is about. */
const usualStrategy = ({ config }: Topic): Strategy => (config.isKeyed ? 'three-way' : 'append')

function namedPairs(pair: Pair, broker: Broker): { from: Topic; into: Topic }[] | Rejection {
  if ('set' in pair) return pairsOfSet(pair.set, broker)
  const from = broker.topic(pair.from)
  const into = broker.topic(pair.into)
  if (from === undefined) return noTopic(pair.from)
  if (into === undefined) return noTopic(pair.into)
  if (from === into)
    return new Rejection('INVALID_COMMAND', `'${pair.from}' cannot be merged into itself: name two topics.`)
  return [{ from, into }]
}

/** Each into what it stands for around the set; what was made inside, or forked there from another member, stays. */
function pairsOfSet(label: string, broker: Broker): { from: Topic; into: Topic }[] | Rejection {
  const { lineage } = broker
  if (!lineage.sets.has(label)) return noSet(label)
  const pairs: { from: Topic; into: Topic }[] = []
  for (const { id, seat } of seatsOf(label, lineage)) {
    const from = broker.topicById(id)
    if (from === undefined) continue
    const into = broker.topicById(seat.fromId)
    if (into === undefined)
      return orphan(
        from.name,
        seat.from,
        'Merge the members that are wanted one by one, each into a relative that is there.',
      )
    pairs.push({ from, into })
  }
  return pairs
}

function problemOf({ from, into, strategy }: TopicPair, asked: Asked, broker: Broker): Rejection | undefined {
  const internal = [from, into].find((topic) => topic.isInternal)
  if (internal !== undefined) {
    const message = `'${internal.name}' is the broker's own topic; it is never merged. Name one of yours.`
    return new Rejection('INVALID_TOPIC_EXCEPTION', message)
  }
  if (!broker.lineage.areRelated(from.id, into.id)) {
    const message = `'${from.name}' and '${into.name}' have no ancestor in common: neither was forked from the other, nor both from a third that is still the same topic. Name a relative.`
    return new Rejection('NOT_RELATED', message)
  }
  if (from.partitions.length !== into.partitions.length) {
    const message = `'${from.name}' has ${from.partitions.length} partitions and '${into.name}' ${into.partitions.length}; both must have the same number: add partitions to the other one.`
    return new Rejection('INVALID_PARTITIONS', message)
  }
  if (into.config.protection === 'frozen') {
    const message = `'${into.name}' has branch.protect=frozen: nothing may be written to it; set it to merge or none.`
    return new Rejection('POLICY_VIOLATION', message)
  }
  const isKeyed = strategy === 'three-way' || strategy === 'replay'
  const isChoice = asked.keys !== undefined || asked.keyPrefix !== undefined
  if (!isKeyed && (isChoice || asked.fields !== undefined)) {
    const message = `keys, keyPrefix and fields are for the strategies three-way and replay; '${into.name}' would be merged by ${strategy}. Name a strategy.`
    return new Rejection('INVALID_COMMAND', message)
  }
  return undefined
}
