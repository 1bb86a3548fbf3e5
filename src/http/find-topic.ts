// The topic that a path means: by its name, or by the name that it has inside a branch set or in front of the name of a branch.

import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import { setView } from '../broker/set-view.ts'
import type { Topic } from '../broker/topic.ts'
import { type Asked, principal } from './asked.ts'
import { Problem } from './problem.ts'
import type { Parameter } from './route.ts'

export const topicParameter: Parameter = {
  name: 'topic',
  in: 'path',
  description: 'The name of a topic, a branch or a view.',
  schema: { type: 'string' },
}

export const branchParameter: Parameter = {
  name: 'branch',
  in: 'query',
  description:
    'The branch of the topic that is meant: a branch set in which it is, or what stands behind -- in its name.',
  schema: { type: 'string' },
}

/** A member of the set, by its name inside; else the topic that is called `topic--branch`. */
function branchOf(broker: Broker, name: string, branch: string): Topic | undefined {
  const inside = setView(broker, branch)
  const member = inside.exists ? inside.broker.topic(inside.stored(name)) : undefined
  return member ?? broker.topic(`${name}--${branch}`)
}

export const forbidden = (operation: string, topic: string): Problem =>
  new Problem(
    403,
    `${principal} may not ${operation} '${topic}': an ACL has to allow it (kafka-acls --add).`,
    'TOPIC_AUTHORIZATION_FAILED',
  )

export function findTopic(asked: Asked): Topic | Problem {
  const { broker } = asked.rooms
  const name = asked.segment('topic').toString()
  const branch = asked.text('branch')
  const topic = branch === undefined ? broker.topic(name) : branchOf(broker, name, branch)
  const named = topic?.name ?? (branch === undefined ? name : `${name}--${branch}`)
  const { needs } = asked.route
  // Before it is said whether there is one, as in Kafka.
  if (needs !== undefined && !asked.may(needs, named)) return forbidden(needs, named)
  if (topic !== undefined) return topic
  if (branch === undefined)
    return new Problem(
      404,
      `There is no topic '${name}'. GET /topics lists those that there are.`,
      'UNKNOWN_TOPIC_OR_PARTITION',
    )
  const neither = `neither a branch set '${branch}' with '${name}' in it nor a topic '${name}--${branch}'`
  return new Problem(
    404,
    `There is ${neither}. GET /branches lists those that there are.`,
    'UNKNOWN_TOPIC_OR_PARTITION',
  )
}

export const partitionParameter: Parameter = {
  name: 'partition',
  in: 'query',
  description: 'One partition alone; without it all of them.',
  schema: { type: 'integer', minimum: 0, maximum: 0x7fff_ffff },
}

/** The partitions that are asked for, one or all, when each can tell where it ends: views have to look first. */
export async function findPartitions(topic: Topic, asked: Asked): Promise<readonly Partition[] | Problem> {
  const partitions = partitionsOf(topic, asked)
  if (!(partitions instanceof Problem)) for (const partition of partitions) await partition.ready()
  return partitions
}

function partitionsOf(topic: Topic, asked: Asked): readonly Partition[] | Problem {
  const index = asked.number('partition')
  if (index === undefined) return topic.partitions
  const partition = topic.partitions[index]
  if (partition !== undefined) return [partition]
  const there = `'${topic.name}' has the partitions 0 to ${topic.partitions.length - 1}`
  return new Problem(404, `There is no partition ${index}: ${there}.`, 'UNKNOWN_TOPIC_OR_PARTITION')
}
