// A broker in a process of its own is killed while it forks, deletes and writes: whatever was acknowledged is there, every
// topic is whole, and nothing is left of what is gone.

import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import { checkStore } from '../../src/cli/check.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { numbersFrom } from '../crash/world.ts'

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

/** Clients that give up soon: whoever they ask may be dead. */
class Clients {
  readonly #kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  readonly admin = this.#kafka.admin()
  producer = this.#newProducer()

  #newProducer(): Producer {
    return this.#kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } })
  }

  static async connect(): Promise<Clients> {
    const clients = new Clients()
    await Promise.all([clients.admin.connect(), clients.producer.connect()])
    return clients
  }

  /** A producer asks for all topics that it ever wrote to, and fails where one of them is gone. */
  async forget(): Promise<void> {
    await this.producer.disconnect()
    this.producer = this.#newProducer()
    await this.producer.connect()
  }

  async leave(): Promise<void> {
    await Promise.allSettled([this.admin.disconnect(), this.producer.disconnect()])
  }
}

const topicsMax = 12

test('B37: 200 rounds of forks, deletions and writes under kills leave every topic whole and nothing unreferenced', {
  timeout: 300_000,
}, async () => {
  broker = new ChildBroker(await built('bundle/main.js'))
  const seed = Date.now() % 1_000_000
  console.log(`seed of the kills: ${seed}`)
  const chance = numbersFrom(seed)
  /** Ends that clients were told, by topic. */
  const ends = new Map<string, number>()
  /** What was asked for and never answered. */
  const unsure = new Set<string>()
  let count = 0
  let rounds = 0

  const pick = () => [...ends.keys()][Math.floor(chance() * ends.size)]!

  async function round(clients: Clients): Promise<void> {
    const { admin, producer } = clients
    const parent = pick()
    const branch = `branch-${count++}`
    const configEntries = [{ name: 'branch.from', value: parent }]
    unsure.add(branch)
    await admin.createTopics({ topics: [{ topic: branch, configEntries }], waitForLeaders: false })
    ends.set(branch, ends.get(parent)!)
    unsure.delete(branch)
    for (const topic of [branch, pick()]) {
      unsure.add(topic)
      const messages = Array.from({ length: 3 }, () => ({
        partition: 0,
        value: 'x'.repeat(Math.floor(chance() * 9000)),
      }))
      const [{ baseOffset } = { baseOffset: '0' }] = await producer.send({ topic, messages })
      ends.set(topic, Number(baseOffset) + 3)
      unsure.delete(topic)
    }
    if (ends.size > topicsMax) {
      const gone = pick()
      if (gone === 'root') return
      unsure.add(gone)
      await admin.deleteTopics({ topics: [gone] })
      ends.delete(gone)
      unsure.delete(gone)
      await clients.forget()
    }
  }

  /** What a client finds after a kill; what nobody was told of may be so or so. */
  async function compare(admin: Admin): Promise<void> {
    const there = (await admin.listTopics()).filter((name) => !name.startsWith('__'))
    for (const topic of there) {
      if (!ends.has(topic)) expect([...unsure], `${topic} was deleted`).toContain(topic)
      const [found] = await admin.fetchTopicOffsets(topic)
      const high = Number(found!.high)
      if (unsure.has(topic)) ends.set(topic, high)
      else expect(high, topic).toBe(ends.get(topic))
    }
    for (const topic of [...ends.keys()].filter((name) => !there.includes(name))) {
      expect([...unsure], `${topic} is gone`).toContain(topic)
      ends.delete(topic)
    }
    unsure.clear()
  }

  await broker.start()
  {
    const clients = await Clients.connect()
    const { admin, producer } = clients
    await admin.createTopics({
      topics: [{ topic: 'root', configEntries: [{ name: 'segment.bytes', value: '1048576' }] }],
    })
    await producer.send({ topic: 'root', messages: [{ value: 'first' }] })
    ends.set('root', 1)
    await clients.leave()
  }
  while (rounds < 200) {
    const clients = await Clients.connect()
    await compare(clients.admin)
    const killed = pause(300 + 2200 * chance()).then(() => broker.end('SIGKILL'))
    try {
      for (;;) {
        await round(clients)
        rounds++
      }
    } catch {
      // It is dead, or about to be.
    }
    await killed
    await clients.leave()
    broker.expectSound()
    await broker.start()
  }
  const clients = await Clients.connect()
  await compare(clients.admin)
  const topics = (await clients.admin.listTopics()).length
  await clients.leave()
  await broker.end('SIGTERM')
  const { findings } = checkStore(new PlainStore(broker.data))
  expect(findings.filter(({ message }) => !message.includes('at work here'))).toEqual([])
  expect(new PlainStore(broker.data).list('topics').length).toBeLessThanOrEqual(topics)
})
