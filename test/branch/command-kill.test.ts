// The broker is killed while it runs commands: whatever was acknowledged is done once, is told once, and a command that is
// sent again adds nothing.

import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import type { BranchEvent } from '../../src/branch/events.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

const kafka = () => new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 3 } })

async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka().admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

async function withProducer(work: (producer: Producer) => Promise<void>): Promise<void> {
  const producer = kafka().producer()
  await producer.connect()
  try {
    await work(producer)
  } finally {
    await producer.disconnect()
  }
}

const topic = '__branch_commands'
const send = (commands: readonly object[]) =>
  withProducer(async (producer) => {
    const messages = commands.map((command) => ({ value: JSON.stringify(command) }))
    await producer.send({ topic, messages })
  })

/** All events, once there are `count` at least. */
async function events(count: number): Promise<BranchEvent[]> {
  const end = await withAdmin(async (admin) => {
    for (;;) {
      const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets('__branches')
      if (Number(high) >= count) return Number(high)
      await pause(20)
    }
  })
  const consumer = kafka().consumer({ groupId: `reader-${Math.random()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic: '__branches', fromBeginning: true })
  const found: BranchEvent[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
      if (found.length < end) found.push(JSON.parse(String(message.value)))
      if (found.length === end) resolve()
    }
    consumer.run({ autoCommit: false, eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return found
}

test('kill -9 while commands run: each is done once and told once', { timeout: 120_000 }, async () => {
  broker = new ChildBroker(await built('bundle/main.js'))
  await broker.start()
  await withAdmin(async (admin) => {
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 2 }] })
    await admin.fetchTopicMetadata({ topics: [topic, '__branches'] })
  })
  await withProducer(async (producer) => {
    await producer.send({ topic: 'orders', messages: [{ value: 'a' }, { value: 'b' }] })
  })
  const rounds = 4
  const perRound = 30
  const wanted = new Set(['orders'])
  const ids: string[] = []
  for (let round = 0; round < rounds; round++) {
    const commands = Array.from({ length: perRound }, (_, i) => {
      const id = `r${round}-${i}`
      ids.push(id)
      if (i % 3 === 2) {
        wanted.delete(`b${round}-${i - 1}`)
        return { op: 'abandon', id, branch: `b${round}-${i - 1}` }
      }
      wanted.add(`b${round}-${i}`)
      return { op: 'fork', id, from: 'orders', to: `b${round}-${i}` }
    })
    await send(commands)
    await pause(Math.random() * 60)
    await broker.end('SIGKILL')
    broker.expectSound()
    await broker.start()
    await send(commands)
    await events((round + 1) * 2 * perRound)
  }
  const told = await events(ids.length * 2)
  expect(told).toHaveLength(ids.length * 2)
  const first = told.filter(({ replayed }) => replayed === undefined)
  expect(first.map(({ id }) => id)).toEqual(ids)
  expect(first.filter(({ status }) => status !== 'done')).toEqual([])
  const topics = await withAdmin((admin) => admin.listTopics())
  expect(topics.filter((name) => !name.startsWith('__')).sort()).toEqual([...wanted].sort())
})
