// Requests that a client sends without waiting for the answers before them.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { Broker } from '../../src/embedded.ts'
import { subscriptionOf } from '../group/consumers.ts'
import { WireClient } from '../wire-client.ts'

let broker: Broker
let client: WireClient

beforeEach(async () => {
  broker = await Broker.start({ port: 0, storage: 'memory', topics: [{ name: 'orders', partitions: 2 }] })
  client = await WireClient.open(broker.bootstrapServers)
})

afterEach(async () => {
  client.close()
  await broker.stop()
})

const commit = (committedOffset: number) =>
  client.ask(offsetCommit, 8, {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }] }],
  })

const committed = async () => {
  const topics = [{ name: 'orders', partitionIndexes: [0] }]
  const { groups } = await client.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics }], requireStable: false })
  return groups[0]!.topics[0]!.partitions[0]!.committedOffset
}

test('who commits an offset and asks for it in the same breath is told what it has committed', async () => {
  const asked: Promise<number>[] = []
  for (let offset = 1; offset <= 20; offset++) {
    void commit(offset)
    asked.push(committed())
  }
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('a transaction may be sent whole, each request with what the one before has done', async () => {
  const transactionalId = 'tx'
  const { producerId, producerEpoch } = await client.ask(initProducerId, 4, {
    transactionalId,
    transactionTimeoutMs: 60_000,
  })
  const add = client.ask(addPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: 'orders', partitions: [0, 1] }],
  })
  const end = () => client.ask(endTxn, 3, { transactionalId, producerId, producerEpoch, committed: true })
  const [added, ended, again] = await Promise.all([add, end(), end()])
  const codes = added.resultsByTopicV3AndBelow[0]!.resultsByPartition.map((of) => of.partitionErrorCode)
  expect([codes, ended.errorCode, again.errorCode]).toEqual([[0, 0], 0, 0])
})

test('nobody waits behind a request that waits for others: a commit behind a parked fetch is done before its time is up', async () => {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const body = {
    maxWaitMs: 60_000,
    minBytes: 1,
    isolationLevel: 0,
    topics: [{ topic: 'orders', partitions }],
    forgottenTopicsData: [],
  }
  void client.attempt(fetch, 12, body)
  void client.attempt(offsetCommit, 8, {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: '' }] }],
  })
  const parked = client
  client = await WireClient.open(broker.bootstrapServers)
  await expect.poll(committed).toBe(3)
  parked.close()
})

test('a member that joins and is joined by the next on one connection waits for nobody but it', async () => {
  const protocols = [{ name: 'range', metadata: subscriptionOf(['orders']) }]
  const join = (memberId: string) =>
    client.ask(joinGroup, 3, {
      groupId: 'two',
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId,
      protocolType: 'consumer',
      protocols,
    })
  const first = await join('')
  const [second, again] = await Promise.all([join(''), join(first.memberId)])
  expect([second.errorCode, again.errorCode, again.members.length]).toEqual([0, 0, 2])
})
