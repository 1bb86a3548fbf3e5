// Records over HTTP: what is posted is what a consumer reads, and what a producer wrote is shown as it was written.

import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HttpStage } from './stage.ts'

let stage: HttpStage
let kafka: Kafka

beforeAll(async () => {
  stage = await HttpStage.open({
    topics: [
      { name: 'one' },
      { name: 'three', partitions: 3 },
      { name: 'small', config: { 'max.message.bytes': 1000 } },
    ],
  })
  kafka = new Kafka({ brokers: [stage.broker.bootstrapServers], logLevel: logLevel.NOTHING })
})
afterAll(async () => stage[Symbol.asyncDispose]())

const fresh = async (name: string, partitions = 1, config = {}): Promise<string> => {
  await stage.broker.createTopics([{ name, partitions, config }])
  return name
}

test('records that were posted are read, with keys, headers and times', async () => {
  const topic = await fresh('round')
  const sent = [
    {
      key: 'a',
      value: { n: 1 },
      headers: [
        { key: 'h', value: 'x' },
        { key: 'h', value: null },
      ],
      timestamp: 1000,
    },
    { key: 'b', value: 'text', timestamp: 2000 },
    { key: null, value: null, timestamp: 3000 },
    { keyBase64: '/w==', valueBase64: '/v8=', timestamp: 4000 },
  ]
  const written = await stage.post(`/topics/${topic}/records`, sent)
  expect(written.status).toBe(200)
  expect(written.json.records).toEqual([0, 1, 2, 3].map((offset) => ({ partition: 0, offset })))
  const { json } = await stage.get(`/topics/${topic}/records`)
  const place = (offset: number) => ({ partition: 0, offset, timestamp: 1000 * (offset + 1) })
  expect(json).toEqual({
    topic,
    records: [
      {
        ...place(0),
        key: 'a',
        value: { n: 1 },
        headers: [
          { key: 'h', value: 'x' },
          { key: 'h', value: null },
        ],
      },
      { ...place(1), key: 'b', value: 'text', headers: [] },
      { ...place(2), key: null, value: null, tombstone: true, headers: [] },
      { ...place(3), keyBase64: '/w==', valueBase64: '/v8=', headers: [] },
    ],
    next: '0=4',
  })
})

test('numbers keep the letters in which they were written, both ways', async () => {
  const topic = await fresh('lexemes')
  const value = '{"a": 1.0, "b":12345678901234567890, "c" : 1e400}'
  const headers = { 'content-type': 'application/json' }
  const body = `{"records":[{"key":"k","value":${value}}, {"value": 12345678901234567890 }]}`
  expect((await stage.ask('POST', `/topics/${topic}/records`, { headers, body })).status).toBe(200)
  const { text } = await stage.get(`/topics/${topic}/records`)
  expect(text).toContain(`"value":${value}`)
  expect(text).toContain('"value":12345678901234567890')
})

test('text, JSON and base64 are three ways of showing one value', async () => {
  const topic = await fresh('formats')
  await stage.post(`/topics/${topic}/records`, [{ key: 'k', value: 5 }])
  const shown = async (format: string) => (await stage.get(`/topics/${topic}/records?format=${format}`)).json.records[0]
  expect((await shown('json')).value).toBe(5)
  expect((await shown('text')).value).toBe('5')
  expect(await shown('base64')).toMatchObject({ keyBase64: 'aw==', valueBase64: 'NQ==' })
})

test('one record a line is taken too', async () => {
  const topic = await fresh('lines')
  const headers = { 'content-type': 'application/x-ndjson' }
  const body = '{"key":"a","value":1}\n\n{"key":"b","value":{"x":[1,"]}",{"y":"\\""}]}}\n'
  const { status, json } = await stage.ask('POST', `/topics/${topic}/records`, { headers, body })
  expect(status).toBe(200)
  expect(json.records).toHaveLength(2)
  const read = (await stage.get(`/topics/${topic}/records`)).json.records
  expect(read.map(({ value }: { value: unknown }) => value)).toEqual([1, { x: [1, ']}', { y: '"' }] }])
})

test('a key goes where the Java client sends it', async () => {
  const topic = await fresh('murmur', 7)
  // KafkaJS has the same rule under this name.
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`.slice(0, 3 + (i % 7)) + i)
  await producer.send({ topic, messages: keys.map((key) => ({ key, value: 'kafkajs' })) })
  await producer.disconnect()
  const posted = await stage.post(
    `/topics/${topic}/records`,
    keys.map((key) => ({ key, value: 'http' })),
  )
  const read = (await stage.get(`/topics/${topic}/records?limit=1000`)).json.records
  const places = new Map<string, Set<number>>()
  for (const { key, partition } of read) places.set(key, (places.get(key) ?? new Set()).add(partition))
  expect([...places.values()].every((of) => of.size === 1)).toBe(true)
  expect(new Set(posted.json.records.map((of: { partition: number }) => of.partition)).size).toBeGreaterThan(3)
})

describe('pages', () => {
  test('`next` leads through all partitions, each record once', async () => {
    const topic = await fresh('pages', 3)
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
    await stage.post(
      `/topics/${topic}/records`,
      keys.map((key) => ({ key, value: key })),
    )
    const seen: string[] = []
    let offset = 'earliest'
    for (let pages = 0; pages < 20; pages++) {
      const { json } = await stage.get(`/topics/${topic}/records?limit=7&offset=${offset}`)
      if (json.records.length === 0) break
      seen.push(...json.records.map(({ key }: { key: string }) => key))
      offset = json.next
    }
    expect(seen.sort()).toEqual(keys.sort())
  })

  test('begin at a number, at a time, at the newest N, or at the end', async () => {
    const topic = await fresh('places')
    const records = [0, 1, 2, 3, 4].map((n) => ({ value: n, timestamp: 1000 * n }))
    await stage.post(`/topics/${topic}/records`, records)
    const values = async (offset: string) =>
      (await stage.get(`/topics/${topic}/records?offset=${offset}`)).json.records.map(
        (of: { value: number }) => of.value,
      )
    expect(await values('3')).toEqual([3, 4])
    expect(await values('0=2')).toEqual([2, 3, 4])
    expect(await values('-2')).toEqual([3, 4])
    expect(await values('timestamp:2500')).toEqual([3, 4])
    expect(await values('timestamp:1970-01-01T00:00:01Z')).toEqual([1, 2, 3, 4])
    expect(await values('timestamp:99999')).toEqual([])
    expect(await values('latest')).toEqual([])
  })

  test('what lies outside, or could mean several things, is refused with what is possible', async () => {
    const topic = await fresh('outside', 2)
    const detail = async (query: string, status = 400) => {
      const answer = await stage.get(`/topics/${topic}/records?${query}`)
      expect(answer.status).toBe(status)
      return answer.json.detail as string
    }
    expect(await detail('partition=0&offset=5')).toMatch(/from 0 to below 0/)
    expect(await detail('offset=5')).toMatch(/name one \(partition=0\)/)
    expect(await detail('offset=soon')).toMatch(/earliest, latest/)
    expect(await detail('offset=timestamp:never')).toMatch(/timestamp:/)
    expect(await detail('limit=0')).toMatch(/1 to 10000/)
    expect(await detail('limit=x')).toMatch(/1 to 10000/)
    expect(await detail('format=xml')).toMatch(/json or text or base64/)
    expect(await detail('partition=7', 404)).toMatch(/partitions 0 to 1/)
    expect(await detail('offsets=7')).toMatch(/no parameter 'offsets' here: there are branch, partition, offset/)
    expect(await detail('limit=1&limit=2')).toMatch(/given twice/)
  })
})

test('headers count for the length of an answer too', async () => {
  const topic = await fresh('headed')
  const headers = [{ key: 'h', value: 'x'.repeat(900_000) }]
  for (let i = 0; i < 20; i++) await stage.post(`/topics/${topic}/records`, [{ key: `${i}`, value: i, headers }])
  const offsets: number[] = []
  for (let next = 'earliest'; next !== '0=20'; ) {
    const { json, text } = await stage.get(`/topics/${topic}/records?offset=${next}`)
    expect(text.length).toBeLessThan(12_000_000)
    offsets.push(...json.records.map(({ offset }: { offset: number }) => offset))
    next = json.next
  }
  expect(offsets).toEqual(Array.from({ length: 20 }, (_, i) => i))
})

test('what lies behind an open transaction is nothing yet, and no mistake of whoever asks', async () => {
  const topic = await fresh('behind')
  const producer = kafka.producer({ transactionalId: 'behind', maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  const open = await producer.transaction()
  await open.send({ topic, messages: [{ key: 'k', value: 'open' }] })
  const written = await stage.post(`/topics/${topic}/records`, [{ key: 'k', value: 'behind' }])
  expect(written.json.records).toEqual([{ partition: 0, offset: 1 }])
  expect((await stage.get(`/topics/${topic}/records?offset=1`)).json).toEqual({ topic, records: [], next: '0=1' })
  expect((await stage.get(`/topics/${topic}/records?offset=3`)).status).toBe(400)
  await open.commit()
  await producer.disconnect()
  expect((await stage.get(`/topics/${topic}/records?offset=1`)).json.records).toMatchObject([{ value: 'behind' }])
})

test('a body that is no UTF-8 is refused, and one with a text of many million letters is taken', async () => {
  const topic = await fresh('letters', 1, { 'max.message.bytes': 30_000_000 })
  const post = (body: Buffer) =>
    stage.ask('POST', `/topics/${topic}/records`, { headers: { 'content-type': 'application/json' }, body })
  const broken = Buffer.from('{"records":[{"key":"k","value":"?"}]}')
  broken[broken.indexOf('?')] = 0xff
  expect((await post(broken)).json.detail).toMatch(/UTF-8/)
  const long = 'x'.repeat(16_000_000)
  expect((await post(Buffer.from(JSON.stringify({ records: [{ key: 'k', value: `${long}"\\` }] })))).status).toBe(200)
  const { records } = (await stage.get(`/topics/${topic}/records`)).json
  expect(records.map(({ value }: { value: string }) => value.length)).toEqual([long.length + 2])
  expect(records[0].value.endsWith('x"\\')).toBe(true)
}, 60_000)

test('aborted records are shown to nobody, open ones to nobody yet', async () => {
  const topic = await fresh('transactions')
  const producer = kafka.producer({ transactionalId: 'http-tx', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const aborted = await producer.transaction()
  await aborted.send({ topic, messages: [{ value: 'aborted' }] })
  await aborted.abort()
  const open = await producer.transaction()
  await open.send({ topic, messages: [{ value: 'committed' }] })
  await stage.post(`/topics/${topic}/records`, [{ value: 'behind' }])
  const values = async () =>
    (await stage.get(`/topics/${topic}/records`)).json.records.map((of: { value: string }) => of.value)
  expect(await values()).toEqual([])
  await open.commit()
  expect(await values()).toEqual(['committed', 'behind'])
  await producer.disconnect()
})

test('a topic that does not exist is made by its first record, with the partitions that a producer would have given it', async () => {
  await using fresh = await HttpStage.open({ config: { 'num.partitions': '3' } })
  expect((await fresh.get('/topics/made')).status).toBe(404)
  expect((await fresh.post('/topics/made/records', [{ key: 'k', value: 'first' }, { nonsense: 1 }])).status).toBe(400)
  expect((await fresh.get('/topics/made')).status).toBe(404)
  const both = await Promise.all(['a', 'b'].map((value) => fresh.post('/topics/made/records', [{ key: 'k', value }])))
  expect(both.map(({ status }) => status)).toEqual([200, 200])
  const { json } = await fresh.get('/topics/made/records')
  expect(json.records.map((of: { value: string }) => of.value).sort()).toEqual(['a', 'b'])
  expect((await fresh.get('/topics/made')).json.partitions).toHaveLength(3)
})

describe('refused writes', () => {
  const refusal = async (topic: string, records: readonly object[], status: number) => {
    const answer = await stage.post(`/topics/${topic}/records`, records)
    expect(answer.status, answer.text).toBe(status)
    return answer.json as { detail: string; error?: string; records?: unknown[] }
  }

  test('an unknown topic, where a producer would be refused it too', async () => {
    expect((await refusal('no%20name', [{ value: 1 }], 400)).error).toBe('INVALID_TOPIC_EXCEPTION')
    expect((await refusal('__branches_of', [], 400)).detail).toMatch(/no record/)
    expect((await stage.post('/topics/one/records?branch=none', [{ value: 1 }])).status).toBe(404)
    await using strict = await HttpStage.open({ config: { 'auto.create.topics.enable': 'false' } })
    const { status, json } = await strict.post('/topics/nowhere/records', [{ value: 1 }])
    expect([status, json.detail]).toEqual([404, expect.stringMatching(/GET \/topics/)])
    expect((await strict.get('/topics')).json.topics).toEqual([])
  })

  test("the broker's own topics", async () => {
    await stage.broker.fork({ from: 'one', set: 'any' })
    expect((await refusal('__branches', [{ value: 1 }], 403)).error).toBe('TOPIC_AUTHORIZATION_FAILED')
  })

  test('a protected topic', async () => {
    const topic = await fresh('protected', 1, { 'branch.protect': 'merge' })
    expect((await refusal(topic, [{ value: 1 }], 403)).detail).toMatch(/branch.protect=merge/)
  })

  test('a record that is too large', async () => {
    expect((await refusal('small', [{ value: 'x'.repeat(2000) }], 413)).error).toBe('MESSAGE_TOO_LARGE')
  })

  test('a record without a key in a compacted topic', async () => {
    const topic = await fresh('compacted', 1, { 'cleanup.policy': 'compact' })
    expect((await refusal(topic, [{ value: 1 }], 400)).error).toBe('INVALID_RECORD')
  })

  test('one partition that refuses does not hide what was written to the others', async () => {
    const topic = await fresh('half', 2, { 'max.message.bytes': 1000 })
    const records = [
      { partition: 0, value: 'fits' },
      { partition: 1, value: 'x'.repeat(2000) },
    ]
    expect((await refusal(topic, records, 413)).records).toEqual([{ partition: 0, offset: 0 }, null])
  })

  test.each([
    ['no JSON', 'x', /not JSON/],
    ['no list', '{"records":5}', /"records": \[/],
    ['nothing', '{"records":[]}', /no record/],
    ['a number', '{"records":[5]}', /Record 0: a record is an object/],
    ['an unknown word', '{"records":[{"value":1},{"val":1}]}', /Record 1: a record has no 'val'/],
    ['two keys', '{"records":[{"key":"a","keyBase64":"YQ=="}]}', /leave one out/],
    ['broken base64', '{"records":[{"valueBase64":"*"}]}', /valueBase64 is not base64/],
    ['a partition that is none', '{"records":[{"partition":-1}]}', /partition is a number/],
    ['headers that are none', '{"records":[{"headers":{}}]}', /headers is a list/],
    // It was written as U+FFFD, and two keys became one.
    ['half of a pair of surrogates', '{"records":[{"key":"\\ud800"}]}', /key holds half of a surrogate pair/],
    ['the same in a header', '{"records":[{"headers":[{"key":"h","value":"\\udc00"}]}]}', /the header h holds half/],
  ])('%s', async (_, body, detail) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await stage.ask('POST', '/topics/one/records', { headers, body })
    expect(answer.status).toBe(400)
    expect(answer.json.detail).toMatch(detail)
  })

  test('what a form or a script of another page could send', async () => {
    const body = '{"records":[{"value":1}]}'
    const send = (headers: Record<string, string>) => stage.ask('POST', '/topics/one/records', { headers, body })
    expect((await send({ 'content-type': 'text/plain' })).status).toBe(415)
    expect((await send({})).status).toBe(415)
    expect((await send({ 'content-type': 'application/json', 'content-encoding': 'gzip' })).status).toBe(415)
    const page = { 'content-type': 'application/json', origin: 'http://elsewhere.example' }
    expect((await send(page)).status).toBe(403)
    expect((await send({ ...page, origin: 'null' })).status).toBe(403)
    expect((await send({ ...page, origin: stage.url })).status).toBe(200)
  })
})

test('records of a branch are asked for under the name of its parent', async () => {
  await fresh('parent')
  await stage.post('/topics/parent/records', [{ key: 'k', value: 'past' }])
  await stage.broker.fork({ from: 'parent', set: 'try' })
  await stage.post('/topics/parent/records?branch=try', [{ key: 'k', value: 'branch' }])
  await stage.post('/topics/parent/records', [{ key: 'k', value: 'trunk' }])
  const values = async (target: string) =>
    (await stage.get(target)).json.records.map((of: { value: string }) => of.value)
  expect(await values('/topics/parent/records?branch=try')).toEqual(['past', 'branch'])
  expect(await values('/topics/parent--try/records')).toEqual(['past', 'branch'])
  expect(await values('/topics/parent/records')).toEqual(['past', 'trunk'])
  const unknown = await stage.get('/topics/parent/records?branch=other')
  expect(unknown.status).toBe(404)
  expect(unknown.json.detail).toMatch(/neither a branch set 'other'/)
})
