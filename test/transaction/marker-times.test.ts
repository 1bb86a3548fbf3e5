// The end of a transaction has a time too, and ListOffsets counts it: what has the largest time may be a marker. Played
// beside Kafka 4.4.0, which answers the same at once, after kill -9, after a clean stop, and from a segment that is full.

import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { ask, WireProducer } from './wire-producer.ts'

const topics = ['plain', 'rolled'] as const

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

/** By isolation level: which record of each topic has the largest time. */
async function newest(): Promise<number[][]> {
  const client = await WireClient.open(broker.bootstrap)
  const found = [0, 1].map(async (isolationLevel) => {
    const asked = topics.map((name) => ({ name, partitions: [{ partitionIndex: 0, timestamp: -3 }] }))
    const answer = await ask(client, listOffsets, 9, { replicaId: -1, isolationLevel, topics: asked, timeoutMs: 9000 })
    return answer.topics.map(({ partitions }) => partitions[0]!.offset)
  })
  return Promise.all(found).finally(() => client.close())
}

test('a marker is what -3 names where records are older, whatever the broker went through since', async () => {
  broker = new ChildBroker(await built('bundle/main.js'), ['--set', 'transaction.state.log.num.partitions=1'])
  await broker.start()
  const client = await WireClient.open(broker.bootstrap)
  const configs = [{ name: 'segment.bytes', value: String(1 << 20) }]
  const made = topics.map((name) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }))
  await ask(client, createTopics, 7, { topics: made, timeoutMs: 9000, validateOnly: false })

  const producer = await WireProducer.open(broker.bootstrap, 'teller')
  for (const topic of topics) await producer.send(topic, 0, 'moved') // a record without a time
  await producer.end('commit')
  producer.close()
  const marker = [topics.map(() => 1), topics.map(() => 1)]
  while (String(await newest()) !== String(marker)) await pause(10)
  for (let i = 0; i < 3; i++) {
    const value = Buffer.alloc(700_000)
    const records = batchOf([{ key: null, value, headers: [], timestamp: 1000 + i }])
    const topicData = [{ name: 'rolled', partitionData: [{ index: 0, records }] }]
    await ask(client, produce, 9, { transactionalId: null, acks: -1, timeoutMs: 9000, topicData })
  }
  client.close()

  expect(await newest()).toEqual(marker)
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await broker.end(signal)
    await broker.start()
    expect(await newest()).toEqual(marker)
  }
}, 60_000)
