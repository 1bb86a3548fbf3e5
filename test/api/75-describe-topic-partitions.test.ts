// DescribeTopicPartitions: pages of partitions, and the cursor that leads from one to the next.

import { describe, expect, test } from 'vitest'
import { describeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import { errorOf, Line } from './line.ts'

type Cursor = { topicName: string; partitionIndex: number } | null
const topics = [
  { name: 'c', partitions: 2 },
  { name: 'a', partitions: 4 },
  { name: 'b', partitions: 3 },
]

/** Topics with their partitions or what is wrong with them, and where to go on. */
async function page(line: Line, names: string[], limit = 2000, cursor: Cursor = null) {
  const body = { topics: names.map((name) => ({ name })), responsePartitionLimit: limit, cursor }
  const answer = await line.ask(describeTopicPartitions, 0, body)
  const shown = answer.topics.map((topic) =>
    topic.errorCode === 0
      ? `${topic.name} ${topic.partitions.map(({ partitionIndex }) => partitionIndex).join('')}`
      : `${topic.name} ${errorOf(topic)}`,
  )
  const { nextCursor } = answer
  return [...shown, ...(nextCursor === null ? [] : [`→ ${nextCursor.topicName} ${nextCursor.partitionIndex}`])]
}

test('topics come in the order of their names, each once; no names ask for all', async () => {
  await using line = await Line.open(topics)
  expect(await page(line, ['c', 'a', 'c'])).toEqual(['a 0123', 'c 01'])
  expect(await page(line, [])).toEqual(['a 0123', 'b 012', 'c 01'])
})

test('what is not there stands in its place', async () => {
  await using line = await Line.open(topics)
  expect(await page(line, ['b', 'aa', 'a/b'])).toEqual([
    'a/b INVALID_TOPIC_EXCEPTION',
    'aa UNKNOWN_TOPIC_OR_PARTITION',
    'b 012',
  ])
})

describe('pages', () => {
  test.each<[limit: number, shown: string[]]>([
    [-1, ['a 0', '→ a 1']],
    [0, ['a 0', '→ a 1']],
    [1, ['a 0', '→ a 1']],
    [4, ['a 0123', '→ b 0']],
    [5, ['a 0123', 'b 0', '→ b 1']],
    [8, ['a 0123', 'b 012', 'c 0', '→ c 1']],
    [9, ['a 0123', 'b 012', 'c 01']],
  ])('of %i partitions', async (limit, shown) => {
    await using line = await Line.open(topics)
    expect(await page(line, ['a', 'b', 'c'], limit)).toEqual(shown)
  })

  test('a full page ends before a topic that is not there, too', async () => {
    await using line = await Line.open(topics)
    expect(await page(line, ['a', 'aa', 'c'], 4)).toEqual(['a 0123', '→ aa 0'])
  })

  test('a cursor goes on where it points, and beyond the last partition with the next topic', async () => {
    await using line = await Line.open(topics)
    const names = ['a', 'b', 'c']
    expect(await page(line, names, 4, { topicName: 'a', partitionIndex: 3 })).toEqual(['a 3', 'b 012', '→ c 0'])
    expect(await page(line, names, 4, { topicName: 'b', partitionIndex: 2 })).toEqual(['b 2', 'c 01'])
    expect(await page(line, names, 4, { topicName: 'a', partitionIndex: 4 })).toEqual(['a ', 'b 012', 'c 0', '→ c 1'])
  })

  test('a cursor that names no topic of the request, or no partition, refuses all of them', async () => {
    await using line = await Line.open(topics)
    const refused = ['c INVALID_REQUEST', 'a INVALID_REQUEST']
    for (const cursor of [
      { topicName: 'b', partitionIndex: 0 },
      { topicName: '', partitionIndex: 0 },
      { topicName: 'a', partitionIndex: -1 },
    ]) {
      expect(await page(line, ['c', 'a'], 9, cursor)).toEqual(refused)
    }
  })

  test('where all topics are asked for the cursor may point between them', async () => {
    await using line = await Line.open(topics)
    expect(await page(line, [], 9, { topicName: 'aa', partitionIndex: 1 })).toEqual(['b 012', 'c 01'])
  })
})

test('a partition is told with its leader and its one replica', async () => {
  await using line = await Line.open(topics)
  const body = { topics: [{ name: 'c' }, { name: 'none' }], responsePartitionLimit: 1, cursor: null }
  const answer = await line.ask(describeTopicPartitions, 0, body)
  const { nodeId } = line.broker
  expect(answer.topics[0]!.topicId).toBe(await line.id('c'))
  expect(answer.topics[0]!.partitions).toEqual([
    {
      errorCode: 0,
      partitionIndex: 0,
      leaderId: nodeId,
      leaderEpoch: 0,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    },
  ])
  expect(answer.topics.map(({ topicAuthorizedOperations }) => topicAuthorizedOperations)).toEqual([3576])
})
