// The broker is killed with a transaction in each of its states; the next start goes on from there, and finishes what was
// decided. States that last for microseconds are written into the transaction log by the test, as the broker would have.

import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { offsetsPartition } from '../../src/group/offsets-log.ts'
import { stateRecord } from '../../src/transaction/records.ts'
import type { Status, TransactionState } from '../../src/transaction/state.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { WireClient } from '../wire-client.ts'
import { ask, readCommitted, WireProducer } from './wire-producer.ts'

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

/** Kafka lets only a client of this name write into the broker's own topics. */
const adminClientId = '__admin_client'
const transactionPartitions = 3

async function start(...settings: string[]): Promise<WireClient> {
  const all = [
    `transaction.state.log.num.partitions=${transactionPartitions}`,
    'offsets.topic.num.partitions=2',
    ...settings,
  ]
  broker = new ChildBroker(
    await built('bundle/main.js'),
    all.flatMap((setting) => ['--set', setting]),
  )
  await broker.start()
  const client = await WireClient.open(broker.bootstrap, adminClientId)
  const topics = [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }]
  await ask(client, createTopics, 5, { topics, timeoutMs: 5000, validateOnly: false })
  return client
}

async function killAndStart(): Promise<WireClient> {
  await broker.end('SIGKILL')
  broker.expectSound()
  await broker.start()
  return WireClient.open(broker.bootstrap, adminClientId)
}

async function describe(client: WireClient) {
  const { transactionStates } = await ask(client, describeTransactions, 0, { transactionalIds: ['tx'] })
  return transactionStates[0]!
}

async function untilState(client: WireClient, status: Status): Promise<void> {
  while ((await describe(client)).transactionState !== status) await pause(10)
}

/** The end of what may be read, committed and not. */
async function ends(client: WireClient): Promise<readonly [stable: number, end: number]> {
  const partitions = [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -1 }]
  const body = { replicaId: -1, topics: [{ name: 't', partitions }] }
  const [stable, end] = await Promise.all(
    [1, 0].map((isolationLevel) => ask(client, listOffsets, 5, { ...body, isolationLevel })),
  )
  return [stable!.topics[0]!.partitions[0]!.offset, end!.topics[0]!.partitions[0]!.offset]
}

async function offsetOf(client: WireClient): Promise<number | string> {
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
  const answer = await ask(client, offsetFetch, 8, { groups, requireStable: true })
  const { errorCode, committedOffset } = answer.groups[0]!.topics[0]!.partitions[0]!
  return errorCode === 88 ? 'unstable' : committedOffset
}

/** What the broker writes when it has decided. */
async function decide(client: WireClient, status: 'PrepareCommit' | 'PrepareAbort'): Promise<void> {
  const known = await describe(client)
  const state: TransactionState = {
    id: 'tx',
    producerId: known.producerId,
    previousProducerId: known.producerId,
    nextProducerId: -1,
    producerEpoch: known.producerEpoch + 1,
    lastProducerEpoch: known.producerEpoch,
    timeoutMs: known.transactionTimeoutMs,
    status,
    partitions: new Map(known.topics.map(({ topic, partitions }) => [topic, new Set(partitions)])),
    startedAt: known.transactionStartTimeMs,
    updatedAt: known.transactionStartTimeMs,
    clientVersion: 2,
  }
  const index = offsetsPartition('tx', transactionPartitions)
  const topicData = [
    {
      name: '__transaction_state',
      partitionData: [{ index, records: encodeBatch({ records: [stateRecord(state, 2)] }) }],
    },
  ]
  const answer = await ask(client, produce, 9, { acks: -1, timeoutMs: 5000, topicData })
  expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

async function begin(): Promise<WireProducer> {
  const producer = await WireProducer.open(broker.bootstrap, 'tx')
  await producer.send('t', 0, 'a')
  await producer.send('t', 1, 'b')
  await producer.sendOffset('g', 't', 5)
  return producer
}

test('open: it is open still, bounds what may be read, and a new producer aborts it', async () => {
  await start()
  await begin()
  const client = await killAndStart()
  expect(await describe(client)).toMatchObject({ transactionState: 'Ongoing', producerEpoch: 0 })
  expect(await ends(client)).toEqual([0, 1])
  expect(await offsetOf(client)).toBe('unstable')
  const next = await WireProducer.open(broker.bootstrap, 'tx')
  expect(await ends(client)).toEqual([2, 2])
  expect(await offsetOf(client)).toBe(-1)
  await next.send('t', 0, 'c')
  await next.end('commit')
  expect((await readCommitted(client, 't', 0)).values).toEqual(['c'])
})

test('open: time aborts it after the restart', async () => {
  const settings = ['transaction.abort.timed.out.transaction.cleanup.interval.ms=100']
  await start(...settings)
  const producer = await WireProducer.open(broker.bootstrap, 'tx', { timeoutMs: 1 })
  await producer.send('t', 0, 'a').catch(() => {})
  const client = await killAndStart()
  await untilState(client, 'CompleteAbort')
  expect((await readCommitted(client, 't', 0)).values).toEqual([])
})

test.each([
  ['PrepareCommit', 'CompleteCommit', ['a'], 5],
  ['PrepareAbort', 'CompleteAbort', [], -1],
] as const)('%s: the next start finishes it', async (decided, done, values, offset) => {
  const before = await start()
  await begin()
  await decide(before, decided)
  expect(await ends(before)).toEqual([0, 1])
  const client = await killAndStart()
  await untilState(client, done)
  expect(await describe(client)).toMatchObject({ producerEpoch: 1, topics: [] })
  expect((await readCommitted(client, 't', 0)).values).toEqual(values)
  expect((await readCommitted(client, 't', 1)).values).toEqual(values.map(() => 'b'))
  expect(await offsetOf(client)).toBe(offset)
  const again = await killAndStart()
  expect((await describe(again)).transactionState).toBe(done)
  expect((await readCommitted(again, 't', 0)).values).toEqual(values)
})

test.each([
  ['commit', 'CompleteCommit', ['a'], 5],
  ['abort', 'CompleteAbort', [], -1],
] as const)('after a %s it is as it was answered', async (outcome, done, values, offset) => {
  await start()
  const producer = await begin()
  await producer.end(outcome)
  const client = await killAndStart()
  expect(await describe(client)).toMatchObject({ transactionState: done, producerEpoch: 1, topics: [] })
  expect((await readCommitted(client, 't', 0)).values).toEqual(values)
  expect(await offsetOf(client)).toBe(offset)
})

test('before its first transaction an id has its epoch', async () => {
  await start()
  await WireProducer.open(broker.bootstrap, 'tx')
  const client = await killAndStart()
  expect(await describe(client)).toMatchObject({ transactionState: 'Empty', producerEpoch: 0 })
  await WireProducer.open(broker.bootstrap, 'tx')
  expect(await describe(client)).toMatchObject({ transactionState: 'Empty', producerEpoch: 1 })
})
