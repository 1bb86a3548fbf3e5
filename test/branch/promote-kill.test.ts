// The broker is killed while names are swapped: afterwards it is one picture or the other, with the groups where they
// belong, and each swap is told once.

import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import type { BranchEvent } from '../../src/branch/events.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

const kafka = () => new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 5 } })

async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka().admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

async function send(topic: string, ...values: string[]): Promise<void> {
  const producer = kafka().producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
  await producer.disconnect()
}

/** Values from the start of a topic, until `isEnough` says so. */
async function read(topic: string, isEnough: (values: readonly string[]) => boolean): Promise<string[]> {
  const consumer = kafka().consumer({ groupId: `reader-${Math.random()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
      if (isEnough(values)) return
      values.push(String(message.value))
      if (isEnough(values)) resolve()
    }
    consumer.run({ autoCommit: false, eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return values
}

const committed = (topic: string) =>
  withAdmin(async (admin) => {
    const [found] = await admin.fetchOffsets({ groupId: 'far', topics: [topic] })
    return Number(found!.partitions[0]!.offset)
  })

test('B57: kill -9 in the middle of a promotion', { timeout: 120_000 }, async () => {
  broker = new ChildBroker(await built('bundle/main.js'))
  await broker.start()
  await withAdmin(async (admin) => {
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] })
    await admin.fetchTopicMetadata({ topics: ['__branch_commands', '__branches'] })
  })
  const past = Array.from({ length: 10 }, (_, i) => `v${i}`)
  await send('orders', ...past)
  const configEntries = [
    { name: 'branch.from', value: 'orders' },
    { name: 'branch.at', value: 'offset:6' },
  ]
  await withAdmin((admin) =>
    admin.createTopics({ topics: [{ topic: 'orders--try', numPartitions: -1, configEntries }] }),
  )
  await send('orders--try', 'own')
  await withAdmin((admin) =>
    admin.setOffsets({ groupId: 'far', topic: 'orders', partitions: [{ partition: 0, offset: '9' }] }),
  )
  const pictures = { parent: past, branch: [...past.slice(0, 6), 'own'] }
  for (let round = 1; round <= 6; round++) {
    const command = { op: 'promote', id: `u${round}`, branch: 'orders--try', keep: 'orders--try' }
    await send('__branch_commands', JSON.stringify(command))
    await pause(Math.random() * 20)
    await broker.end('SIGKILL')
    broker.expectSound()
    await broker.start()
    // The command is there, so it is carried out, if it was not before.
    const isTold = (values: readonly string[]) =>
      values.some((value) => (JSON.parse(value) as BranchEvent).id === command.id)
    const events = (await read('__branches', isTold)).map((value) => JSON.parse(value) as BranchEvent)
    expect(
      events.filter(({ type, replayed }) => type === 'promote' && replayed === undefined).map(({ id }) => id),
    ).toEqual(Array.from({ length: round }, (_, i) => `u${i + 1}`))
    const [named, kept] = round % 2 === 1 ? (['branch', 'parent'] as const) : (['parent', 'branch'] as const)
    const enough = (count: number) => (values: readonly string[]) => values.length === count
    expect(await read('orders', enough(pictures[named].length))).toEqual(pictures[named])
    expect(await read('orders--try', enough(pictures[kept].length))).toEqual(pictures[kept])
    expect([await committed('orders'), await committed('orders--try')]).toEqual(named === 'branch' ? [6, 9] : [9, 6])
  }
})
