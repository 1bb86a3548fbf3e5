// The broker is killed while applications are in a set: everything of it is where it was.

import { rmSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { listGroups } from '../../protocol/messages/16-list-groups.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { listTransactions } from '../../protocol/messages/66-list-transactions.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { batchOf, WireClient } from '../wire-client.ts'

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

async function send(client: WireClient, topic: string, ...values: string[]): Promise<void> {
  const topicData = [{ name: topic, partitionData: [{ index: 0, records: batchOf(values) }] }]
  const { responses } = await client.ask(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
  expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

/** From the start to the end as of now: a fetch ends with a file. */
async function values(client: WireClient, topic: string): Promise<string[]> {
  const found: string[] = []
  for (;;) {
    const partitions = [{ partition: 0, fetchOffset: found.length, partitionMaxBytes: 1_000_000 }]
    const body = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0, topics: [{ topic, partitions }] }
    const { responses } = await client.ask(fetch, 11, body)
    const { records, highWatermark } = responses[0]!.partitions[0]!
    const bytes = Buffer.concat([records as Buffer].flat())
    for (let position = 0; position < bytes.length; position += 12 + bytes.readInt32BE(position + 8))
      for (const { value } of readRecords(bytes, position)) found.push(String(value))
    if (found.length >= highWatermark) return found
  }
}

/** Gives a command and waits for what the history says of it. */
async function run(client: WireClient, command: { id: string; [field: string]: unknown }): Promise<BranchEvent> {
  await client.ask(metadata, 9, { topics: [{ name: '__branch_commands' }, { name: '__branches' }] })
  await send(client, '__branch_commands', JSON.stringify(command))
  for (;;) {
    const events = (await values(client, '__branches')).map((text) => JSON.parse(text) as BranchEvent)
    const event = events.find(({ id }) => id === command.id)
    if (event !== undefined) return event
  }
}

async function committed(client: WireClient, groupId: string): Promise<Record<string, number>> {
  const { groups } = await client.ask(offsetFetch, 8, { groups: [{ groupId, topics: null }] })
  return Object.fromEntries(groups[0]!.topics.map(({ name, partitions }) => [name, partitions[0]!.committedOffset]))
}

/** A start reads groups aside: until then it says so. */
async function settled<T>(ask: () => Promise<T & { errorCode: number }>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer.errorCode !== 14) return answer
  }
}

test('B46: after kill -9 the listener is back on its port, and groups, ids and topics of the set are where they were', async () => {
  broker = new ChildBroker(await built('bundle/main.js'))
  await broker.start()
  const root = await WireClient.open(broker.bootstrap)
  const topics = [{ name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  await root.ask(createTopics, 5, { topics, timeoutMs: 5000, validateOnly: false })
  await send(root, 'orders', 'one', 'two', 'three')
  expect(await run(root, { op: 'fork', id: 'f', set: 'S', from: '*' })).toMatchObject({ status: 'done' })
  const listening = await run(root, { op: 'listen', id: 'l', set: 'S' })
  const bootstrap = String(listening['bootstrap'])

  const within = await WireClient.open(bootstrap)
  await send(within, 'orders', 'mine')
  const made = [{ name: 'made', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  await within.ask(createTopics, 5, { topics: made, timeoutMs: 5000, validateOnly: false })
  const commits = [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 2 }] }]
  await within.ask(offsetCommit, 8, { groupId: 'simple', memberId: '', topics: commits })
  const joining = { groupId: 'modern', memberId: 'm', rebalanceTimeoutMs: 60_000, topicPartitions: [] }
  const subscription = { subscribedTopicNames: ['orders'] }
  const joined = await within.ask(consumerGroupHeartbeat, 1, { ...joining, memberEpoch: 0, ...subscription })
  expect(joined).toMatchObject({ errorCode: 0, assignment: { topicPartitions: [{ partitions: [0] }] } })
  const producer = { transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 }
  const first = await settled(() => within.ask(initProducerId, 4, { transactionalId: 'tx', ...producer }))
  await root.ask(offsetCommit, 8, {
    groupId: 'simple',
    memberId: '',
    topics: [{ ...commits[0]!, partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
  })

  await broker.end('SIGKILL')
  broker.expectSound()
  await broker.start()

  const again = await WireClient.open(bootstrap)
  const outside = await WireClient.open(broker.bootstrap)
  const { groups } = await settled(() => again.ask(listGroups, 5, { statesFilter: [], typesFilter: [] }))
  expect(groups.map(({ groupId, groupType }) => `${groupId} ${groupType}`).sort()).toEqual([
    'modern consumer',
    'simple classic',
  ])
  expect(await committed(again, 'simple')).toEqual({ orders: 2 })
  expect(await committed(outside, 'simple')).toEqual({ orders: 1 })
  // The member goes on in its group as if nothing had been.
  const beat = { groupId: 'modern', memberId: 'm', memberEpoch: joined.memberEpoch, rebalanceTimeoutMs: -1 }
  expect(await again.ask(consumerGroupHeartbeat, 1, beat)).toMatchObject({
    errorCode: 0,
    memberEpoch: joined.memberEpoch,
  })
  const second = await settled(() => again.ask(initProducerId, 4, { transactionalId: 'tx', ...producer }))
  expect(second).toMatchObject({ producerId: first.producerId, producerEpoch: first.producerEpoch + 1 })
  const filters = { stateFilters: [], producerIdFilters: [], durationFilter: -1 }
  expect((await outside.ask(listTransactions, 1, filters)).transactionStates).toEqual([])
  const listed = await again.ask(metadata, 9, { topics: null })
  expect(listed.topics.map(({ name }) => name).sort()).toEqual(['made', 'orders'])
  expect(await values(again, 'orders')).toEqual(['one', 'two', 'three', 'mine'])
  expect(await values(outside, 'orders')).toEqual(['one', 'two', 'three'])
  for (const client of [again, outside]) client.close()
})
