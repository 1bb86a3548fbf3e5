// The key that a path means, and the partition in which it is.

import { fromBase64 } from '../../protocol/base64.ts'
import { StorageError } from '../../protocol/errors.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import type { Revisions } from '../revision/revisions.ts'
import type { Asked } from './asked.ts'
import { branchParameter, findTopic, partitionParameter, topicParameter } from './find-topic.ts'
import { partitionOfKey } from './partitioner.ts'
import { Problem } from './problem.ts'
import { rest } from './reply.ts'
import type { Rooms } from './rooms.ts'
import type { Parameter } from './route.ts'

const base64Parameter: Parameter = {
  name: 'key.base64',
  in: 'query',
  description:
    'The key in the path is base64url: for what cannot stand in one, such as . and .. and, written as =, the empty key.',
  schema: { type: 'boolean', default: false },
}

export const keyParameters: readonly Parameter[] = [
  topicParameter,
  {
    name: 'key',
    in: 'path',
    description: 'A key, its bytes percent-encoded where they are no letters of a path.',
    schema: { type: 'string' },
  },
  branchParameter,
  base64Parameter,
  {
    ...partitionParameter,
    description: 'The partition; without it the one that has the key, else that to which the Java client sends it.',
  },
]

export type KeyPlace = {
  readonly topic: Topic
  readonly key: Buffer
  readonly partition: Partition
  readonly rooms: Rooms
}

function keyOf(asked: Asked): Buffer | Problem {
  const segment = asked.segment('key')
  if (!asked.flag('key.base64')) return segment
  const text = segment.toString()
  return fromBase64(text) ?? new Problem(400, `'${text.slice(0, 100)}' is not base64url.`)
}

/** Everything that is decided now is known. Rejects with Corruption, StorageError; a broker that stops is no place to count in. */
export async function revisionsOf(partition: Partition, { ending }: Pick<Rooms, 'ending'>): Promise<Revisions> {
  for (;;) {
    // Another one after a compaction.
    const { revisions } = partition
    if (!revisions.catchUp()) return revisions
    await rest()
    if (ending.aborted) throw new StorageError('ECANCELED', 'The broker stops: ask again when it is back.')
  }
}

/** The partition that has the key; where none has it, the one to which it goes. */
async function partitionOf(topic: Topic, key: Buffer, asked: Asked): Promise<Partition | Problem> {
  const { partitions } = topic
  const index = asked.number('partition')
  if (index !== undefined) {
    const there = `'${topic.name}' has the partitions 0 to ${partitions.length - 1}`
    return (
      partitions[index] ?? new Problem(404, `There is no partition ${index}: ${there}.`, 'UNKNOWN_TOPIC_OR_PARTITION')
    )
  }
  const usual = partitions[partitionOfKey(key, partitions.length)]!
  for (const partition of [usual, ...partitions.filter((of) => of !== usual)]) {
    if ((await revisionsOf(partition, asked.rooms)).find(key) !== undefined) return partition
  }
  return usual
}

/** Rejects with Corruption, StorageError. */
export async function findKey(asked: Asked): Promise<KeyPlace | Problem> {
  const topic = findTopic(asked)
  if (topic instanceof Problem) return topic
  const key = keyOf(asked)
  if (key instanceof Problem) return key
  const { view } = topic.config
  if (view !== undefined) {
    const source = `/topics/${encodeURIComponent(view.of)}/keys/…`
    return new Problem(
      403,
      `'${topic.name}' is a view: ask ${source}, as of a moment with at=.`,
      'INVALID_TOPIC_EXCEPTION',
    )
  }
  const partition = await partitionOf(topic, key, asked)
  if (partition instanceof Problem) return partition
  // Branches that nobody uses may have an end.
  partition.uses++
  return { topic, key, partition, rooms: asked.rooms }
}

const nameOf = (key: Buffer): string => `'${key.toString().slice(0, 100)}'`

export const neverWritten = ({ topic, key }: Pick<KeyPlace, 'topic' | 'key'>): Problem =>
  new Problem(
    404,
    `The key ${nameOf(key)} was never written to '${topic.name}', or all that was written of it is gone.`,
  )
