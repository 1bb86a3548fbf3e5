// Elections and reassignments of partitions that have one copy. The answers are those of a Kafka 4.4.0 with one node.

import { expect, test } from 'vitest'
import { electLeaders } from '../../protocol/messages/43-elect-leaders.ts'
import { alterPartitionReassignments } from '../../protocol/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from '../../protocol/messages/46-list-partition-reassignments.ts'
import { errorOf, Line } from './line.ts'

test.each<[topic: string, partition: number, replicas: number[] | null, error: string]>([
  ['a', 0, [1], 'NONE'],
  ['a', 0, [2], 'INVALID_REPLICA_ASSIGNMENT'],
  ['a', 0, [1, 2], 'INVALID_REPLICA_ASSIGNMENT'],
  ['a', 0, [1, 1], 'INVALID_REPLICA_ASSIGNMENT'],
  ['a', 0, [], 'INVALID_REPLICA_ASSIGNMENT'],
  ['a', 0, null, 'NO_REASSIGNMENT_IN_PROGRESS'],
  ['a', 9, [1], 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['a', -1, null, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['no', 0, [1], 'UNKNOWN_TOPIC_OR_PARTITION'],
])('%s-%i to %j: %s', async (name, partitionIndex, replicas, error) => {
  await using line = await Line.open(['a'])
  for (const version of [0, 1]) {
    const topics = [{ name, partitions: [{ partitionIndex, replicas }] }]
    const answer = await line.ask(alterPartitionReassignments, version, { topics })
    expect([errorOf(answer), errorOf(answer.responses[0]!.partitions[0]!)]).toEqual(['NONE', error])
  }
  const { topics } = await line.ask(listPartitionReassignments, 0, { topics: null })
  expect(topics).toEqual([])
})

test.each([0, 1, 2])('v%i: no election is needed, and none of what is not there', async (version) => {
  await using line = await Line.open(['a'])
  const topicPartitions = [
    { topic: 'a', partitions: [0, 9] },
    { topic: 'no', partitions: [0] },
  ]
  const answer = await line.ask(electLeaders, version, { topicPartitions })
  const outcomes = answer.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map((result) => [topic, result.partitionId, errorOf(result)]),
  )
  expect(outcomes).toEqual([
    ['a', 0, 'ELECTION_NOT_NEEDED'],
    ['a', 9, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['no', 0, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ])
  expect(errorOf(answer)).toBe('NONE')
})

test('an election of all names every topic and no partition; of a kind that is not known, nothing', async () => {
  await using line = await Line.open(['a', 'b'])
  for (const electionType of [0, 1]) {
    const answer = await line.ask(electLeaders, 2, { electionType, topicPartitions: null })
    expect(answer.replicaElectionResults).toMatchObject([
      { topic: 'a', partitionResult: [] },
      { topic: 'b', partitionResult: [] },
    ])
  }
  for (const electionType of [-1, 2]) {
    const answer = await line.ask(electLeaders, 2, { electionType, topicPartitions: null })
    expect([errorOf(answer), answer.replicaElectionResults]).toEqual(['INVALID_REQUEST', []])
    const topicPartitions = [{ topic: 'a', partitions: [0] }]
    const one = await line.ask(electLeaders, 2, { electionType, topicPartitions })
    expect([errorOf(one), errorOf(one.replicaElectionResults[0]!.partitionResult[0]!)]).toEqual([
      'INVALID_REQUEST',
      'INVALID_REQUEST',
    ])
  }
})
