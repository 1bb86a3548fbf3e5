// What requests are refused for the sake of branches, and the words that clients show of it: a code of Kafka's, and what to change.

import { expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { createPartitions } from '../../protocol/messages/37-create-partitions.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { Stage } from './stage.ts'

const timeoutMs = 5_000
const policy = 44

async function write(client: WireClient, name: string) {
  const topicData = [{ name, partitionData: [{ index: 0, records: batchOf(['x']) }] }]
  const { responses } = await client.ask(produce, 9, { acks: -1, timeoutMs, topicData })
  const { errorCode, errorMessage } = responses[0]!.partitionResponses[0]!
  return [errorCode, errorMessage]
}

async function remove(client: WireClient, name: string) {
  const { responses } = await client.ask(deleteTopics, 5, { topicNames: [name], timeoutMs })
  return [responses[0]!.errorCode, responses[0]!.errorMessage]
}

async function grow(client: WireClient, name: string) {
  const topics = [{ name, count: 2, assignments: null }]
  const { results } = await client.ask(createPartitions, 3, { topics, timeoutMs, validateOnly: false })
  return [results[0]!.errorCode, results[0]!.errorMessage]
}

async function make(client: WireClient, name: string, configs: Readonly<Record<string, string>> = {}) {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const wanted = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: entries }
  const { topics } = await client.ask(createTopics, 5, { topics: [wanted], timeoutMs, validateOnly: false })
  return [topics[0]!.errorCode, topics[0]!.errorMessage]
}

test('a topic that is protected says by what it may be written, grown or deleted again', async () => {
  await using stage = await Stage.open()
  await stage.create('merged', 1, { 'branch.protect': 'merge' })
  await stage.create('frozen', 1, { 'branch.protect': 'frozen' })
  const client = await WireClient.open(stage.broker.bootstrapServers)
  expect(await write(client, 'merged')).toEqual([
    policy,
    expect.stringMatching(/merge a branch into it, or set it to none/),
  ])
  expect(await write(client, 'frozen')).toEqual([policy, expect.stringMatching(/frozen.*set it to none/)])
  expect(await remove(client, 'frozen')).toEqual([policy, expect.stringMatching(/frozen; set it to none before/)])
  expect(await grow(client, 'frozen')).toEqual([
    policy,
    expect.stringMatching(/frozen.*set it to none, then it can grow/),
  ])
  client.close()
})

test('topics that are an API say what they are to whoever would delete, grow or write them', async () => {
  await using stage = await Stage.open()
  await stage.create('orders')
  await stage.fork('orders', 'orders--try')
  const client = await WireClient.open(stage.broker.bootstrapServers)
  expect(await remove(client, '__branches')).toEqual([policy, expect.stringMatching(/tells of branches; it cannot be/)])
  expect(await grow(client, '__branches')).toEqual([
    37,
    expect.stringMatching(/it has 1 partitions, no more and no fewer/),
  ])
  expect((await write(client, '__branches'))[0]).toBe(29)
  client.close()
})

test('inside a set, and at the door of one that is not there, a topic that cannot be made says which other one can', async () => {
  await using stage = await Stage.open()
  await stage.create('orders')
  await stage.run({ op: 'fork', id: 'f', set: 'S', from: '*' })
  await stage.create('other--S')
  const at = (set: string) => WireClient.open(stage.broker.bootstrapServers, `app--branch--${set}--`)
  const [inside, lost] = [await at('S'), await at('T')]
  const elsewhere = { 'branch.from': 'orders', 'branch.set': 'T' }
  expect(await make(inside, 'try', elsewhere)).toEqual([40, expect.stringMatching(/Leave branch\.set out/)])
  const taken = /stored as 'other--S', which is taken outside the set 'S'\. Take another name/
  expect(await make(inside, 'other')).toEqual([17, expect.stringMatching(taken)])
  const name = { 'branch.from': 'orders' }
  expect(await make(inside, 'orders', name)).toEqual([
    36,
    expect.stringMatching(/'orders' already exists.*another name/),
  ])
  expect(await make(lost, 'any')).toEqual([
    17,
    expect.stringMatching(/no branch set 'T'\. Fork one under this label first/),
  ])
  for (const client of [inside, lost]) client.close()
})
