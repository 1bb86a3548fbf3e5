// DescribeQuorum and UnregisterBroker: one voter, which leads, and nobody to be forgotten.

import { expect, test } from 'vitest'
import { describeQuorum } from '../../protocol/messages/55-describe-quorum.ts'
import { unregisterBroker } from '../../protocol/messages/64-unregister-broker.ts'
import { errorOf, Line } from './line.ts'

const of = (topicName: string, ...indexes: number[]) => ({
  topicName,
  partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
})
const metadata = '__cluster_metadata'

test.each([0, 1, 2])('v%i: this broker votes alone, and the log grows with what is made', async (version) => {
  await using line = await Line.open()
  const ask = async () => {
    const { topics, nodes } = await line.ask(describeQuorum, version, { topics: [of(metadata, 0)] })
    return { ...topics[0]!.partitions[0]!, nodes }
  }
  const before = await ask()
  await line.broker.createTopics(['a'])
  const { leaderId, highWatermark, currentVoters, observers, nodes } = await ask()
  expect(highWatermark).toBeGreaterThan(before.highWatermark)
  expect(leaderId).toBe(line.broker.nodeId)
  expect(currentVoters).toMatchObject([{ replicaId: leaderId, logEndOffset: highWatermark }])
  expect(observers).toEqual([])
  expect(nodes.map(({ nodeId }) => nodeId)).toEqual(version < 2 ? [] : [leaderId])
})

test('any other partition is not here, nor the right one in such company', async () => {
  await using line = await Line.open(['a'])
  const ask = async (...topics: ReturnType<typeof of>[]) => {
    const answer = await line.ask(describeQuorum, 2, { topics })
    return answer.topics.flatMap(({ partitions }) => partitions.map(errorOf))
  }
  const no = 'UNKNOWN_TOPIC_OR_PARTITION'
  expect(await ask()).toEqual([])
  expect(await ask(of(metadata, 1))).toEqual([no])
  expect(await ask(of(metadata))).toEqual([])
  expect(await ask(of(metadata, 0, 0))).toEqual([no, no])
  expect(await ask(of('a', 0), of(metadata, 0))).toEqual([no, no])
})

test('a broker that is not there cannot be forgotten, nor one that runs', async () => {
  await using line = await Line.open()
  const forget = async (brokerId: number) => errorOf(await line.ask(unregisterBroker, 0, { brokerId }))
  for (const id of [-1, 0, 2]) expect(await forget(id)).toBe('BROKER_ID_NOT_REGISTERED')
  expect(await forget(line.broker.nodeId)).toBe('INVALID_REQUEST')
})
