// The tail of a topic as server-sent events: nothing twice, nothing left out, whoever is cut off, slow, or gone.

import { request } from 'node:http'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HttpStage, raw, Tail } from './stage.ts'

let stage: HttpStage
beforeAll(async () => {
  stage = await HttpStage.open()
})
afterAll(async () => stage[Symbol.asyncDispose]())

const fresh = async (name: string, partitions = 1, config = {}): Promise<string> => {
  await stage.broker.createTopics([{ name, partitions, config }])
  return name
}
const put = (topic: string, ...values: unknown[]) =>
  stage.post(
    `/topics/${topic}/records`,
    values.map((value) => ({ key: String(value), value })),
  )
const told = (event: { data: string } | undefined) => event && JSON.parse(event.data).value

test('what is written while somebody listens is told at once', async () => {
  const topic = await fresh('live')
  await put(topic, 'before')
  await using tail = await Tail.open(`${stage.url}/topics/${topic}/tail`)
  expect(await tail.begin()).toBe('0=1')
  await put(topic, 'a', { b: 1 })
  const first = await tail.next()
  expect(first).toMatchObject({ event: 'message', id: '0=2' })
  expect(JSON.parse(first!.data)).toMatchObject({ partition: 0, offset: 1, key: 'a', value: 'a', headers: [] })
  expect(told(await tail.next())).toEqual({ b: 1 })
  expect(tail.lastId).toBe('0=3')
})

test('who was cut off goes on where the last event was, in every partition', async () => {
  const topic = await fresh('resumed', 3)
  const seen: string[] = []
  let lastId = ''
  const wanted = Array.from({ length: 60 }, (_, i) => `v${i}`)
  for (let at = 0; at < wanted.length; at += 10) {
    await using tail = await Tail.open(
      `${stage.url}/topics/${topic}/tail?offset=earliest`,
      lastId === '' ? {} : { 'last-event-id': lastId },
    )
    await put(topic, ...wanted.slice(at, at + 10))
    // Cut off in the midst of them; what is left comes next time.
    const count = at + 10 === wanted.length ? wanted.length - seen.length : 7
    for (let i = 0; i < count; i++) seen.push(told(await tail.next()))
    lastId = tail.lastId
  }
  expect(seen.sort()).toEqual(wanted.sort())
})

test('who is cut off before the first event begins where it began', async () => {
  const topic = await fresh('early')
  let id: string
  {
    await using tail = await Tail.open(`${stage.url}/topics/${topic}/tail`)
    id = await tail.begin()
  }
  await put(topic, 'meanwhile')
  await using tail = await Tail.open(`${stage.url}/topics/${topic}/tail`, { 'last-event-id': id })
  expect(told(await tail.next())).toBe('meanwhile')
})

test('a record of an open transaction is told when it is committed', async () => {
  const topic = await fresh('committed')
  const kafka = new Kafka({ brokers: [stage.broker.bootstrapServers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ transactionalId: 'tail', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await using tail = await Tail.open(`${stage.url}/topics/${topic}/tail`)
  const aborted = await producer.transaction()
  await aborted.send({ topic, messages: [{ value: 'no' }] })
  await aborted.abort()
  const committed = await producer.transaction()
  await committed.send({ topic, messages: [{ value: 'yes' }] })
  await committed.commit()
  expect(told(await tail.next())).toBe('yes')
  await producer.disconnect()
})

test('JSON that was written on several lines is several lines of one event', async () => {
  const topic = await fresh('lines')
  const headers = { 'content-type': 'application/json' }
  const body = '{"records":[{"key":"k","value":{\r\n "a":\n1 }}]}'
  await using tail = await Tail.open(`${stage.url}/topics/${topic}/tail`)
  await stage.ask('POST', `/topics/${topic}/records`, { headers, body })
  expect(told(await tail.next())).toEqual({ a: 1 })
})

test('a place that is none is refused before the stream begins', async () => {
  const topic = await fresh('refused', 2)
  expect((await stage.get(`/topics/${topic}/tail?offset=7`)).status).toBe(400)
  expect((await stage.get(`/topics/${topic}/tail`, { 'last-event-id': 'x' })).status).toBe(400)
  expect((await stage.get('/topics/nowhere/tail')).status).toBe(404)
})

test('a place beyond the end is refused before the stream begins, or a browser would ask for it every second for ever', async () => {
  const topic = await fresh('beyond', 2)
  const { status, json } = await stage.get(`/topics/${topic}/tail`, { 'last-event-id': '0=0,1=9' })
  expect({ status, error: json.error }).toEqual({ status: 400, error: 'OFFSET_OUT_OF_RANGE' })
  expect(json.detail).toContain('partition 1 holds the offsets from 0 to below 0')
})

test('the end of a topic is the last event', async () => {
  const topic = await fresh('deleted')
  const admin = new Kafka({ brokers: [stage.broker.bootstrapServers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await using tail = await Tail.open(`${stage.url}/topics/${topic}/tail`)
  await tail.begin()
  await admin.deleteTopics({ topics: [topic] })
  expect(await tail.next()).toMatchObject({ event: 'end', data: expect.stringContaining('was deleted') })
  expect(await tail.next()).toBeUndefined()
  await admin.disconnect()
})

test('what retention took from a reader is told as a gap', async () => {
  const topic = await fresh('gap')
  await put(topic, 1, 2, 3, 4)
  const admin = new Kafka({ brokers: [stage.broker.bootstrapServers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
  await using tail = await Tail.open(`${stage.url}/topics/${topic}/tail`, { 'last-event-id': '0=1' })
  expect(JSON.parse((await tail.next())!.data)).toEqual({ partition: 0, from: 1, to: 2 })
  expect(told(await tail.next())).toBe(3)
  await admin.disconnect()
})

test('who takes nothing costs next to nothing, and gets everything when it does', async () => {
  const topic = await fresh('slow')
  const value = 'x'.repeat(10_000)
  const fill = async (count: number) => {
    for (let i = 0; i < count; i += 100)
      await stage.post(
        `/topics/${topic}/records`,
        Array.from({ length: 100 }, (_, n) => ({ key: String(i + n), value })),
      )
  }
  await fill(1000)
  const { hostname, port } = new URL(stage.url)
  const readers = await Promise.all(
    Array.from(
      { length: 20 },
      () =>
        new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
          const sent = request({ host: hostname, port, path: `/topics/${topic}/tail?offset=earliest` }, resolve)
          sent.on('error', reject)
          sent.end()
        }),
    ),
  )
  // Each could have 15 MB and more; what was made for a reader that takes nothing is a piece, and what the sockets hold.
  const before = process.memoryUsage()
  await fill(500)
  const { external, heapUsed } = process.memoryUsage()
  expect(external + heapUsed - before.external - before.heapUsed).toBeLessThan(150 * 1024 * 1024)
  const [reader, ...others] = readers
  for (const other of others) other.destroy()
  let text = ''
  let count = 0
  reader!.setEncoding('utf8')
  for await (const piece of reader!) {
    text += piece
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    count += blocks.filter((block) => block.includes('data: ')).length
    if (count === 1500) break
  }
  expect(count).toBe(1500)
})

test('who leaves is not listened for any more', async () => {
  const topic = await fresh('left')
  const core = await stage.get('/metrics')
  expect(core.status).toBe(200)
  const tails = await Promise.all(Array.from({ length: 50 }, () => Tail.open(`${stage.url}/topics/${topic}/tail`)))
  for (const tail of tails) await tail.begin()
  for (const tail of tails) await tail[Symbol.asyncDispose]()
  // The broker stops at once where no stream is left.
  const other = await HttpStage.open({ topics: ['t'] })
  const tail = await Tail.open(`${other.url}/topics/t/tail`)
  await tail.begin()
  await other[Symbol.asyncDispose]()
  expect(await tail.next().catch(() => undefined)).toBeUndefined()
})

test('HEAD begins no stream', async () => {
  const topic = await fresh('head')
  const { status, text } = await raw(stage.url, 'HEAD', `/topics/${topic}/tail`)
  expect([status, text]).toEqual([200, ''])
})
