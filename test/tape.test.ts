// The tape by itself: what stock clients said to one broker is played to two others. Two of ours answer the same; one
// that is set otherwise is found out.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Broker } from '../src/embedded.ts'
import { mutants } from './tape/mutate.ts'
import { play } from './tape/play.ts'
import { freePort, Recorder } from './tape/recorder.ts'
import { PlayedSide } from './tape/side.ts'
import { type Event, readTape } from './tape/tape.ts'

const folder = mkdtempSync(join(tmpdir(), 'twiglog-tape-'))
let tape: Event[]

async function session(bootstrap: string): Promise<void> {
  const kafka = new Kafka({ brokers: [bootstrap], clientId: 'taped', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'told', numPartitions: 2 }] })
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  await producer.send({ topic: 'told', messages: [{ key: 'k', value: 'v' }, { value: null }] })
  const consumer = kafka.consumer({ groupId: 'readers' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'told', fromBeginning: true })
  const seen = new Promise<void>((resolve) => {
    let count = 0
    void consumer.run({ eachMessage: async () => void (++count === 2 && resolve()) })
  })
  await seen
  await Promise.all([consumer.disconnect(), producer.disconnect()])
  await admin.fetchTopicOffsets('told')
  await admin.disconnect()
}

beforeAll(async () => {
  const path = join(folder, 'session.tape')
  const recorder = await Recorder.start(path)
  const listener = { name: 'PLAINTEXT', host: '127.0.0.1', port: 0, protocol: 'PLAINTEXT', role: 'client' } as const
  const told = { advertisedHost: '127.0.0.1', advertisedPort: recorder.port }
  const server = await freePort()
  const broker = await Broker.start({ listeners: [{ ...listener, ...told, port: server }] })
  recorder.passTo(server)
  await session(`127.0.0.1:${recorder.port}`)
  await recorder.stop()
  await broker.stop()
  tape = readTape(path)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function playTo(config: Record<string, string>) {
  await using one = await Broker.start()
  await using other = await Broker.start({ config })
  const sides = [new PlayedSide(one.bootstrapServers), new PlayedSide(other.bootstrapServers)] as const
  const played = await play(tape, ...sides)
  for (const side of sides) side.closeAll()
  return played
}

test('a tape played to two brokers of the same kind shows no difference', async () => {
  const { answers, differences } = await playTo({})
  expect(differences).toEqual([])
  expect(answers).toBeGreaterThan(20)
})

test('a broker that is set otherwise is found out', async () => {
  const { differences } = await playTo({ 'group.max.session.timeout.ms': '7000' })
  expect(differences.map(({ api, path }) => `${api} ${path}`)).toContain('JoinGroup errorCode')
})

test('altered requests follow from their seed, and each differs from what a client sent', async () => {
  const { asks } = await playTo({})
  const draw = () => {
    let at = 0
    return () => {
      at = (at * 16807 + 11) % 2147483647
      return at / 2147483647
    }
  }
  const made = [...mutants(asks, 50, draw())]
  expect(made).toEqual([...mutants(asks, 50, draw())])
  expect(made).toHaveLength(50)
  expect(made.every(({ ask }) => asks.every((original) => original !== ask))).toBe(true)
})
