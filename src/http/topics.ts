// GET /topics and GET /topics/{topic}: which topics there are, and where the offsets of each begin and end.

import { noLeader } from '../broker/leadership.ts'
import type { Partition } from '../broker/partition.ts'
import { unparsedIn } from '../broker/revision-entries.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Topic } from '../broker/topic.ts'
import type { Asked } from './asked.ts'
import { branchParameter, findPartitions, findTopic, topicParameter } from './find-topic.ts'
import { attempt, Problem } from './problem.ts'
import { json } from './reply.ts'
import type { Rooms } from './rooms.ts'
import type { Route, Schema } from './route.ts'
import { integer, list, object } from './shown.ts'

const text: Schema = { type: 'string' }
const optional = {
  from: { ...text, description: 'Of a branch: the topic that it was forked from.' },
  set: { ...text, description: 'The branch set that it belongs to.' },
  inside: { ...text, description: 'What it is called in that set.' },
  viewOf: { ...text, description: 'Of a view: the topic that it shows.' },
}
const summaryMembers = {
  name: text,
  id: text,
  partitions: integer,
  isInternal: { type: 'boolean' },
  ...optional,
}
const needed = ['name', 'id', 'partitions', 'isInternal']

function summary({ name, id, partitions, isInternal, config }: Topic, { broker }: Rooms) {
  const branch = broker.lineage.branches.get(id)
  const membership = broker.lineage.membership(id)
  return {
    name,
    id,
    partitions: partitions.length,
    isInternal,
    ...(branch === undefined ? {} : { from: broker.topicById(branch.fromId)?.name ?? branch.from }),
    ...(membership === undefined ? {} : { set: membership.set, inside: membership.inside }),
    ...('view.of' in config.overrides() ? { viewOf: config.overrides()['view.of'] } : {}),
  }
}

const setParameter = {
  name: 'branch',
  in: 'query',
  description: 'The topics of this branch set, and no others.',
  schema: { type: 'string' },
} as const

function listed(asked: Asked) {
  const { broker } = asked.rooms
  const branch = asked.text('branch')
  if (branch !== undefined) {
    const members = broker.lineage.sets.get(branch)?.members
    if (members === undefined) return new Problem(404, `There is no branch set '${branch}'. GET /branches lists them.`)
    return [...members.values()].flatMap((id) => broker.topicById(id) ?? [])
  }
  return broker.listed().filter(({ isInternal }) => !isInternal || asked.flag('internal'))
}

export const topicsRoute: Route = {
  method: 'get',
  path: '/topics',
  id: 'listTopics',
  summary: 'The topics, as a Kafka client would list them.',
  parameters: [
    setParameter,
    {
      name: 'internal',
      in: 'query',
      description: "The broker's own topics too.",
      schema: { type: 'boolean', default: false },
    },
  ],
  answers: {
    200: {
      description: 'In the order of their names.',
      schema: object({ topics: list(object(summaryMembers, needed)) }),
    },
  },
  problems: [404],
  handle: (asked) => {
    const topics = listed(asked)
    return topics instanceof Problem
      ? topics
      : json({
          topics: topics.filter(({ name }) => asked.may('DESCRIBE', name)).map((topic) => summary(topic, asked.rooms)),
        })
  },
}

function bounds(topic: Topic, partition: Partition) {
  const { index, leader } = partition
  const told = attempt(() => {
    const unparsed = unparsedIn(topic, partition)
    return {
      partition: index,
      leader: leader === noLeader ? null : leader,
      earliest: partition.logStartOffset,
      latest: partition.lastStableOffset,
      ...(unparsed === undefined ? {} : { unparsed }),
    }
  })
  return told instanceof Problem ? { partition: index, leader, offline: told.detail } : told
}

const boundsSchema = object(
  {
    partition: integer,
    leader: { type: ['integer', 'null'], description: 'The node that leads it; null where none does.' },
    earliest: { ...integer, description: 'The first offset that can be read.' },
    latest: { ...integer, description: 'The offset behind the last committed record.' },
    unparsed: {
      ...integer,
      description:
        'Where JSON is indexed (revision.index.json): packed values that are none, which view.where does not show.',
    },
    offline: { ...text, description: 'Why it cannot be read, where that is so.' },
  },
  ['partition', 'leader'],
)

export const topicRoute: Route = {
  method: 'get',
  path: '/topics/{topic}',
  id: 'describeTopic',
  needs: 'DESCRIBE',
  summary: 'One topic: its partitions, and the configuration that was given to it.',
  parameters: [topicParameter, branchParameter],
  answers: {
    200: {
      description: 'The topic.',
      schema: object(
        { ...summaryMembers, partitions: list(boundsSchema), configs: { type: 'object', additionalProperties: text } },
        needed,
      ),
    },
  },
  problems: [404],
  handle: async (asked) => {
    const topic = findTopic(asked)
    if (topic instanceof Problem) return topic
    // A view that cannot be looked at says so below.
    await findPartitions(topic, asked).catch(storageRefusal)
    return json({
      ...summary(topic, asked.rooms),
      partitions: topic.partitions.map((partition) => bounds(topic, partition)),
      ...(asked.may('DESCRIBE_CONFIGS', topic.name) ? { configs: topic.config.overrides() } : {}),
    })
  },
}
