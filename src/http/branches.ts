// GET /branches: which topic came from which, where, and the sets in which they live together.

import type { Topic } from '../broker/topic.ts'
import { json } from './reply.ts'
import type { Rooms } from './rooms.ts'
import type { Route, Schema } from './route.ts'
import { integer, list, object } from './shown.ts'

const text: Schema = { type: 'string' }

function branchesOf({ broker }: Rooms) {
  const { lineage } = broker
  const found = [...lineage.branches.values()].flatMap((branch) => {
    const topic = broker.topicById(branch.id)
    return topic === undefined ? [] : [{ branch, topic }]
  })
  return found
    .sort((a, b) => (a.topic.name < b.topic.name ? -1 : 1))
    .map(({ branch, topic }) => ({
      name: topic.name,
      id: topic.id,
      from: broker.topicById(branch.fromId)?.name ?? branch.from,
      fromId: branch.fromId,
      isOrphan: broker.topicById(branch.fromId) === undefined,
      createdAt: branch.at,
      offsets: branch.partitions.map(({ offset }) => offset),
      depth: lineage.depth(branch.id),
      protect: topic.config.protection,
      ...(lineage.membership(topic.id) === undefined ? {} : { set: lineage.membership(topic.id)!.set }),
    }))
}

function setsOf({ broker }: Rooms) {
  return [...broker.lineage.sets.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, at, members, ports }) => {
      const topics = [...members].map(([inside, id]): [string, Topic | undefined] => [inside, broker.topicById(id)])
      const there = topics.flatMap(([inside, topic]) => (topic === undefined ? [] : [{ inside, topic: topic.name }]))
      return { name, createdAt: at, members: there, ...(ports === undefined ? {} : { ports }) }
    })
}

const branchSchema = object(
  {
    name: text,
    id: text,
    from: { ...text, description: 'The topic that it was forked from.' },
    fromId: text,
    isOrphan: { type: 'boolean', description: 'That topic is gone.' },
    createdAt: { ...integer, description: 'ms since 1970.' },
    offsets: { ...list(integer), description: 'The first offset of its own, by partition.' },
    depth: { ...integer, description: 'How many forks lie between it and a topic that is no branch.' },
    protect: { ...text, enum: ['none', 'merge', 'frozen'] },
    set: text,
  },
  ['name', 'id', 'from', 'fromId', 'isOrphan', 'createdAt', 'offsets', 'depth', 'protect'],
)

const setSchema = object(
  {
    name: text,
    createdAt: integer,
    members: list(object({ inside: text, topic: text })),
    ports: { ...list(integer), description: 'Of its own listener, by node, if it has one.' },
  },
  ['name', 'createdAt', 'members'],
)

export const branchesRoute: Route = {
  method: 'get',
  path: '/branches',
  id: 'listBranches',
  summary: 'Branches and branch sets.',
  answers: {
    200: {
      description: 'In the order of their names.',
      schema: object({ branches: list(branchSchema), sets: list(setSchema) }),
    },
  },
  handle: (asked) => {
    const isSeen = (name: string) => asked.may('DESCRIBE', name)
    const branches = branchesOf(asked.rooms).filter(({ name }) => isSeen(name))
    const sets = setsOf(asked.rooms).map((set) => ({
      ...set,
      members: set.members.filter(({ topic }) => isSeen(topic)),
    }))
    return json({ branches, sets })
  },
}
