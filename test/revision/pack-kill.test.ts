// A broker in a process of its own is killed while its thread packs: whatever was acknowledged is there once, the files are sound, and
// nothing half done is left.

import { readdirSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { numbersFrom } from '../crash/world.ts'
import { revisionOf } from './packs.ts'

let broker: ChildBroker
afterEach(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

const roundsMin = 6
const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)

const filesOf = (ending: string) =>
  readdirSync(broker.data, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending))

function clients() {
  const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  return { admin: kafka.admin(), producer: kafka.producer({ retry: { retries: 0 } }), kafka }
}

/** Every record of the topic: what stands at each offset. */
async function readAll(high: number): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  const consumer = clients().kafka.consumer({ groupId: `g-${Math.random()}`, retry: { retries: 5 } })
  await consumer.connect()
  await consumer.subscribe({ topic: 'docs', fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({
      message: { offset, key, value },
    }: {
      message: { offset: string; key: Buffer | null; value: Buffer | null }
    }) => {
      if (found.has(Number(offset))) reject(new Error(`offset ${offset} was given twice, of ${high}`))
      found.set(Number(offset), `${key} ${value}`)
      if (found.size === high) resolve()
    }
    consumer.run({ autoCommit: false, eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return found
}

test('R25: killed again and again while it packs, a broker has every acknowledged record once', {
  timeout: 300_000,
}, async () => {
  broker = new ChildBroker(await built('bundle/main.js'))
  const seed = Date.now() % 1_000_000
  console.log(`seed of the kills: ${seed}`)
  const chance = numbersFrom(seed)
  const acknowledged = new Map<number, string>()
  let rev = 0
  await broker.start()
  {
    const { admin } = clients()
    await admin.connect()
    const configs = { 'revision.diff': 'true', 'revision.pack.lag.ms': '0', 'segment.bytes': '1048576' }
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic: 'docs', numPartitions: 1, configEntries }] })
    await admin.disconnect()
  }
  const seconds = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)
  const until = Date.now() + 1000 * seconds
  for (let round = 0; round < roundsMin || Date.now() < until; round++) {
    const { producer } = clients()
    await producer.connect()
    const killed = pause(200 + 1500 * chance()).then(() => broker.end('SIGKILL'))
    try {
      for (;;) {
        rev++
        const messages = keys.map((key) => ({ key, value: revisionOf(key, rev, 3000) }))
        const [{ baseOffset } = { baseOffset: '' }] = await producer.send({ topic: 'docs', messages })
        for (const [i, { key, value }] of messages.entries())
          acknowledged.set(Number(baseOffset) + i, `${key} ${value}`)
      }
    } catch {
      // It is dead.
    }
    await killed
    await producer.disconnect().catch(() => {})
    broker.expectSound()
    await broker.start()
    const { admin } = clients()
    await admin.connect()
    const [end] = await admin.fetchTopicOffsets('docs')
    await admin.disconnect()
    const found = await readAll(Number(end!.high))
    for (const [offset, record] of acknowledged) expect(found.get(offset)).toBe(record)
  }
  // On a slow machine hardly a segment was filled between two kills.
  const { producer } = clients()
  await producer.connect()
  for (let i = 0; filesOf('.pack').length === 0; i++) {
    expect(i, 'nothing is packed').toBeLessThan(1000)
    if (i < 30)
      await producer.send({ topic: 'docs', messages: [{ key: 'late', value: revisionOf('late', i, 100_000) }] })
    await pause(50)
  }
  await producer.disconnect()
  await broker.end('SIGTERM')
  expect(filesOf('.tmp')).toEqual([])
  broker.expectSound()
})
