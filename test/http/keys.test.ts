// Keys over HTTP: every value they ever had, the deltas between them, and writers that do not overwrite each other.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crc32c } from '../../protocol/crc32c.ts'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import { drawing, document as rowsOf } from '../revision/delta-pairs.ts'
import { type Answer, HttpStage, raw } from './stage.ts'

let stage: HttpStage
let kafka: Kafka

beforeAll(async () => {
  stage = await HttpStage.open({ topics: [{ name: 'docs', config: { 'revision.diff': true } }] })
  kafka = new Kafka({ brokers: [stage.broker.bootstrapServers], logLevel: logLevel.NOTHING })
})
afterAll(async () => stage[Symbol.asyncDispose]())

const fresh = async (name: string, partitions = 1, config = {}): Promise<string> => {
  await stage.broker.createTopics([{ name, partitions, config }])
  return name
}
const keyPath = (topic: string, key: string, query = '') => `/topics/${topic}/keys/${encodeURIComponent(key)}${query}`
const put = (target: string, value: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  stage.ask('PUT', target, { body: value, headers })

type Shown = { rev: number; value?: unknown; valueBase64?: string; offset: number; tombstone: boolean }
type Delta = { rev: number; base: number | null; format: string; deltaBase64: string | null; crc32c: string }

const xdelta3 = process.env['XDELTA3'] ?? 'xdelta3'
const hasXdelta = spawnSync(xdelta3, ['-V']).status === 0

/** By the decoder of others where there is one. */
function decoded(source: Buffer, delta: Buffer): Buffer {
  if (!hasXdelta) return decodeDelta(source, delta, 1 << 20)
  const folder = mkdtempSync(join(tmpdir(), 'twiglog-xdelta-'))
  try {
    const path = (name: string) => join(folder, name)
    writeFileSync(path('source'), source)
    writeFileSync(path('delta'), delta)
    const { status, stderr } = spawnSync(xdelta3, ['-d', '-f', '-s', path('source'), path('delta'), path('target')])
    expect(status, String(stderr)).toBe(0)
    return readFileSync(path('target'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('R31: revisions over HTTP', () => {
  const document = (n: number) =>
    JSON.stringify({ id: 17, status: ['open', 'paid', 'sent'][n % 3], visits: n, text: 'x'.repeat(200) })

  test('R31: twenty PUTs are twenty values, newest first, and deltas that make them', async () => {
    for (let n = 1; n <= 20; n++) {
      const { status, json, headers } = await put(keyPath('docs', 'order 17'), document(n))
      expect(status).toBe(200)
      expect(json).toEqual({ key: 'order 17', rev: n, partition: 0, offset: n - 1 })
      expect(headers['etag']).toBe(`"${n}"`)
    }
    const values = (await stage.get(keyPath('docs', 'order 17', '?revisions=all&patch=true'))).json
    const all: Shown[] = [values.current, ...values.revisions]
    expect(all.map(({ rev }) => rev)).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i))
    for (const { rev, value } of all) expect(value).toEqual(JSON.parse(document(rev)))

    const deltas: Delta[] = (await stage.get(keyPath('docs', 'order 17', '?revisions=all&patch=false'))).json.revisions
    expect(deltas.map(({ rev }) => rev)).toEqual(Array.from({ length: 19 }, (_, i) => 19 - i))
    let value: Buffer = Buffer.alloc(0)
    for (const { rev, base, format, deltaBase64, crc32c: sum } of deltas.reverse()) {
      const bytes = Buffer.from(deltaBase64!, 'base64')
      expect([base, format]).toEqual(rev === 1 ? [null, 'full'] : [rev - 1, 'vcdiff'])
      value = format === 'full' ? bytes : decoded(value, bytes)
      expect(value.toString()).toBe(document(rev))
      expect(crc32c(value).toString(16).padStart(8, '0')).toBe(sum)
      if (format === 'vcdiff') expect(bytes.length).toBeLessThan(60)
    }
  })

  test('deltas of long values that have nothing in common make them, too, for several who ask at once', async () => {
    const topic = await fresh('unlike', 1, { 'revision.diff': true })
    const values = [1, 2, 3].map((seed) => String(rowsOf(drawing(seed), 400_000)))
    for (const value of values) await put(keyPath(topic, 'k'), value)
    const ask = () => stage.get(keyPath(topic, 'k', '?revisions=all&patch=false'))
    for (const { json } of await Promise.all([ask(), ask(), ask()])) {
      const [second, first]: Delta[] = json.revisions
      expect([second!.format, first!.format]).toEqual(['vcdiff', 'full'])
      const made = decodeDelta(
        Buffer.from(first!.deltaBase64!, 'base64'),
        Buffer.from(second!.deltaBase64!, 'base64'),
        1 << 20,
      )
      expect(made.toString()).toBe(values[1])
    }
  })

  test('R31: of two writers that saw the same revision one succeeds', async () => {
    const topic = await fresh('writers', 1, { 'revision.diff': true })
    await put(keyPath(topic, 'k'), 'first')
    const write = (value: string) => put(keyPath(topic, 'k'), value, { 'if-match': '1' })
    const answers = await Promise.all([write('a'), write('b')])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
    const loser = answers.find(({ status }) => status === 412)!
    expect(loser.json).toMatchObject({ rev: 2, detail: expect.stringContaining('If-Match: 2') })
    expect((await stage.get(keyPath(topic, 'k'))).json.current.rev).toBe(2)
  })

  test.each([
    ['with a slash', 'a/b'],
    ['with spaces and signs', ' a b?c#d%e+f&g=h\\i" '],
    ['of another script', 'ключ/鍵'],
    ['of one letter', 'k'],
  ])('R31: a key %s', async (_, key) => {
    const topic = `odd-${Buffer.from(key).toString('hex').slice(0, 40)}`
    await fresh(topic)
    expect((await put(keyPath(topic, key), 'v')).json).toMatchObject({ key, rev: 1 })
    expect((await stage.get(keyPath(topic, key))).json.current.value).toBe('v')
    expect((await stage.get(`${keyPath(topic, key)}/info`)).json).toMatchObject({ key, revisionCount: 1 })
    expect((await stage.get(`/topics/${topic}/records`)).json.records[0].key).toBe(key)
  })

  test('R31: a key that is no text, and one that a path cannot hold', async () => {
    const topic = await fresh('bytes')
    const target = (key: Buffer) => `/topics/${topic}/keys/${key.toString('base64url')}?key.base64=true`
    for (const key of [Buffer.from([0xff, 0, 0xfe]), Buffer.from('.'), Buffer.from('..'), Buffer.from('a/../b')]) {
      const isText = key[0] !== 0xff
      const named = isText ? { key: key.toString() } : { keyBase64: key.toString('base64') }
      expect((await put(target(key), key)).json).toMatchObject({ ...named, rev: 1 })
      const { current } = (await stage.get(target(key))).json
      expect(current).toMatchObject(isText ? { value: key.toString() } : { valueBase64: key.toString('base64') })
    }
    // Escaped bytes are as good.
    expect((await stage.get(`/topics/${topic}/keys/%FF%00%fe`)).json.current.rev).toBe(1)
    // A single letter is no byte: it would be the empty key.
    for (const text of ['*', 'A', 'AAAAA']) {
      expect((await stage.get(`/topics/${topic}/keys/${text}?key.base64=true`)).status).toBe(400)
    }
    expect((await put(`/topics/${topic}/keys/=?key.base64=true`, 'of the empty key')).json).toMatchObject({ key: '' })
    expect((await stage.get(`/topics/${topic}/keys/%3D?key.base64=true`)).json.current.value).toBe('of the empty key')
  })

  test('a path with steps in it is refused: others may have taken them for names', async () => {
    const topic = await fresh('steps')
    for (const path of [
      `/topics/x/../${topic}/keys/k`,
      `/topics/${topic}/keys/a/%2e%2e/k`,
      `/topics\\${topic}/keys/k`,
    ]) {
      const answer = await raw(stage.url, 'PUT', path, { body: 'v' })
      expect([400, 404]).toContain(answer.status)
    }
    expect((await stage.get(`/topics/${topic}/records`)).json.records).toEqual([])
    expect((await raw(stage.url, 'GET', `/%74opics/${topic}`)).status).toBe(200)
  })
})

describe('what a key was', () => {
  const topic = 'moments'
  beforeAll(async () => {
    await fresh(topic, 1, { 'revision.diff': true })
    const records = [1, 2, 3, 4, 5].map((n) => ({ key: n % 2 === 1 ? 'odd' : 'even', value: n, timestamp: 1000 * n }))
    await stage.post(`/topics/${topic}/records`, records)
  })
  const current = async (at: string) => (await stage.get(keyPath(topic, 'odd', `?at=${at}`))).json.current?.value

  test('as of a revision, an offset or a time', async () => {
    expect(await current('rev:1')).toBe(1)
    expect(await current('rev:2')).toBe(3)
    expect(await current('offset:2')).toBe(1)
    expect(await current('offset:3')).toBe(3)
    expect(await current('offset:999')).toBe(5)
    expect(await current('timestamp:4500')).toBe(3)
    expect(await current('timestamp:1970-01-01T00:00:03Z')).toBe(1)
    expect(await current('timestamp:99999')).toBe(5)
  })

  test('revisions count back from there', async () => {
    const { revisions } = (await stage.get(keyPath(topic, 'odd', '?at=rev:3&revisions=1'))).json
    expect(revisions).toMatchObject([{ rev: 2, value: 3 }])
    expect((await stage.get(keyPath(topic, 'odd'))).json.revisions).toEqual([])
  })

  test('what was not yet, never was, or cannot be is said so', async () => {
    const answer = async (query: string, key = 'odd') => {
      const { status, json } = await stage.get(keyPath(topic, key, query))
      return `${status} ${json.detail}`
    }
    expect(await answer('?at=timestamp:500')).toMatch(/^404 .*not there yet at timestamp:500/)
    expect(await answer('?at=rev:7')).toMatch(/^404 .*no revision 7 .* newest is 3/)
    expect(await answer('', 'none')).toMatch(/^404 .*never written/)
    expect(await answer('?at=rev:1', 'none')).toMatch(/^404 .*never written/)
    expect(await answer('?at=noon')).toMatch(/^400 .*rev:N, offset:N/)
    expect(await answer('?at=rev:x')).toMatch(/^400/)
    // All of these are times to JavaScript.
    for (const time of ['1.5', '-5', 'soon%201', '2026-02-30', 'Nov%2022,%202026', '2026-11-22T06:00:00+01:00'])
      expect(await answer(`?at=timestamp:${time}`)).toMatch(/^400 .*ISO-8601/)
    expect(await current('timestamp:1970-01-01T01:00:03%2B01:00')).toBe(1)
    expect(await current('timestamp:1970-01-01T00:00:03')).toBe(1)
    expect(await answer('?revisions=-1')).toMatch(/^400 .*a number or all/)
    expect(await answer('?patch=yes')).toMatch(/^400 .*true or false/)
  })
})

test('a deleted key is a tombstone, and what follows is told in full', async () => {
  const topic = await fresh('deleted', 1, { 'revision.diff': true })
  const target = keyPath(topic, 'k')
  await put(target, '{"a":1}')
  expect((await stage.ask('DELETE', target)).json).toEqual({ key: 'k', rev: 2, partition: 0, offset: 1 })
  const gone = await stage.get(`${target}?revisions=all`)
  expect(gone.status).toBe(200)
  expect(gone.json.current).toMatchObject({ rev: 2, value: null, tombstone: true })
  await put(target, '{"a":2}')
  await put(target, '')
  await put(target, 'null')
  const { current, revisions } = (await stage.get(`${target}?revisions=all&patch=false`)).json
  expect(current).toMatchObject({ rev: 5, value: null, tombstone: false })
  const told = revisions.map(({ rev, base, format, deltaBase64 }: Delta) => [rev, base, format, deltaBase64])
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  expect(told).toEqual([
    [4, null, 'full', ''],
    [3, null, 'full', base64('{"a":2}')],
    [2, null, 'tombstone', null],
    [1, null, 'full', base64('{"a":1}')],
  ])
  expect((await stage.ask('DELETE', keyPath(topic, 'never'))).status).toBe(404)
})

test('what a key takes', async () => {
  const topic = await fresh('info', 3)
  for (const value of ['one', 'three', '']) await put(keyPath(topic, 'k'), value)
  const { json } = await stage.get(`${keyPath(topic, 'k')}/info`)
  expect(json).toEqual({ key: 'k', revisionCount: 3, partition: expect.any(Number), offset: 2, stored: 8, full: 8 })
  expect((await stage.get(`${keyPath(topic, 'none')}/info`)).status).toBe(404)
})

describe('conditions', () => {
  const target = keyPath('conditions', 'k')
  beforeAll(() => fresh('conditions', 1, { 'revision.diff': true }))
  const write = async (headers: Record<string, string>) => (await put(target, 'v', headers)).status

  test('If-Match: 0 and If-None-Match: * are for new keys alone', async () => {
    expect(await write({ 'if-match': '*' })).toBe(412)
    expect(await write({ 'if-match': '3' })).toBe(412)
    expect(await write({ 'if-match': '0' })).toBe(200)
    expect(await write({ 'if-match': '0' })).toBe(412)
    expect(await write({ 'if-none-match': '*' })).toBe(412)
    expect((await put(keyPath('conditions', 'other'), 'v', { 'if-none-match': '*' })).status).toBe(200)
  })

  test('the ETag of an answer is what If-Match takes', async () => {
    const { headers } = await stage.get(target)
    expect(headers['etag']).toBe('"1"')
    expect(await write({ 'if-match': headers['etag']! })).toBe(200)
    expect(await write({ 'if-match': '"1", "2"' })).toBe(200)
    expect(await write({ 'if-match': '*' })).toBe(200)
    expect((await stage.ask('DELETE', target, { headers: { 'if-match': '1' } })).status).toBe(412)
    expect((await stage.ask('DELETE', target, { headers: { 'if-match': '4' } })).json.rev).toBe(5)
  })

  test('what is no condition is no reason to write', async () => {
    const { json } = await stage.get(target)
    expect(await write({ 'if-match': 'W/"5"' })).toBe(400)
    expect(await write({ 'if-match': 'newest' })).toBe(400)
    expect(await write({ 'if-none-match': '"5"' })).toBe(400)
    expect((await stage.get(target)).json).toEqual(json)
  })

  test('a counter that many raise loses nothing', async () => {
    const counter = keyPath('conditions', 'counter')
    await put(counter, '0')
    const raise = async () => {
      for (;;) {
        const { current } = (await stage.get(counter)).json
        const { status } = await put(counter, String(current.value + 1), { 'if-match': String(current.rev) })
        if (status === 200) return
        expect(status).toBe(412)
      }
    }
    await Promise.all(Array.from({ length: 20 }, raise))
    expect((await stage.get(counter)).json.current).toMatchObject({ rev: 21, value: 20 })
  })

  test('the same where each write waits for its flush', async () => {
    const topic = await fresh('flushed', 1, { 'flush.messages': 1 })
    await put(keyPath(topic, 'k'), 'v')
    const write = () => put(keyPath(topic, 'k'), 'w', { 'if-match': '1' })
    const statuses = (await Promise.all([write(), write(), write()])).map(({ status }) => status)
    expect(statuses.sort()).toEqual([200, 412, 412])
  })

  test('while a transaction may still write the key nobody can say', async () => {
    const topic = await fresh('undecided', 1)
    await put(keyPath(topic, 'k'), 'v')
    const producer = kafka.producer({ transactionalId: 'keys', idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const write = (key: string) => put(keyPath(topic, key), 'w', { 'if-match': key === 'k' ? '1' : '0' })
    const aborted = await producer.transaction()
    await aborted.send({ topic, messages: [{ key: 'k', value: 'no' }] })
    await aborted.abort()
    const open = await producer.transaction()
    await open.send({ topic, messages: [{ key: 'other', value: 'x' }] })
    // This key nobody has touched; its number is told when the transaction has ended.
    const [first, second] = await Promise.all([write('k'), write('k')])
    expect([first.status, second.status].sort()).toEqual([200, 409])
    expect([first, second].find(({ status }) => status === 200)!.json.rev).toBeNull()
    expect((await write('other')).status).toBe(409)
    await open.abort()
    expect((await write('other')).status).toBe(200)
    expect((await stage.get(keyPath(topic, 'k'))).json.current.rev).toBe(2)
    await producer.disconnect()
  })
})

describe('partitions', () => {
  test('a key stays where it is, else it goes where the Java client sends it', async () => {
    const topic = await fresh('placed', 4)
    const usual = (await put(keyPath(topic, 'new'), 'v')).json.partition
    const posted = await stage.post(`/topics/${topic}/records`, [{ key: 'new', value: 'w' }])
    expect(posted.json.records[0].partition).toBe(usual)
    // Somebody with a rule of his own.
    const other = (usual + 1) % 4
    await stage.post(`/topics/${topic}/records`, [{ partition: other, key: 'strange', value: 1 }])
    expect((await put(keyPath(topic, 'strange'), '2')).json).toMatchObject({ partition: other, rev: 2 })
    expect((await stage.get(keyPath(topic, 'strange', `?partition=${(other + 1) % 4}`))).status).toBe(404)
    expect((await put(keyPath(topic, 'strange', '?partition=9'), '2')).status).toBe(404)
  })
})

test('a branch has revisions of its own after the fork', async () => {
  const topic = await fresh('trunk', 1, { 'revision.diff': true })
  for (const value of ['1', '2', '3']) await put(keyPath(topic, 'k'), value)
  await stage.broker.fork({ from: topic, set: 'twig' })
  expect((await put(keyPath(topic, 'k', '?branch=twig'), '"branch"')).json.rev).toBe(4)
  expect((await put(keyPath(topic, 'k'), '"trunk"')).json.rev).toBe(4)
  const values = async (target: string) => {
    const { current, revisions } = (await stage.get(target)).json
    return [current, ...revisions].map(({ value }: Shown) => value)
  }
  expect(await values(keyPath(topic, 'k', '?revisions=all&branch=twig'))).toEqual(['branch', 3, 2, 1])
  expect(await values(keyPath(`${topic}--twig`, 'k', '?revisions=all'))).toEqual(['branch', 3, 2, 1])
  expect(await values(keyPath(topic, 'k', '?revisions=all'))).toEqual(['trunk', 3, 2, 1])
})

describe('refused', () => {
  test('writes that a producer would be refused', async () => {
    const topic = await fresh('frozen', 1, { 'branch.protect': 'frozen' })
    expect((await put(keyPath(topic, 'k'), 'v')).json).toMatchObject({ status: 403, error: 'POLICY_VIOLATION' })
    const small = await fresh('small', 1, { 'max.message.bytes': 1000 })
    expect((await put(keyPath(small, 'k'), 'x'.repeat(5000))).status).toBe(413)
    expect((await put(keyPath(small, 'k'), 'x'.repeat(990))).json).toMatchObject({ error: 'MESSAGE_TOO_LARGE' })
    expect((await put(keyPath('nowhere', 'k'), 'v')).status).toBe(404)
  })

  test('a view has the keys of another topic', async () => {
    const view = await fresh('docs-now', -1, { 'view.of': 'docs', 'view.kind': 'state' })
    const answer = await stage.get(keyPath(view, 'order 17'))
    expect(answer.status).toBe(403)
    expect(answer.json.detail).toMatch(/view: ask \/topics\/docs\/keys/)
    expect((await put(keyPath(view, 'k'), 'v')).status).toBe(403)
    expect((await stage.post(`/topics/${view}/records`, [{ key: 'k', value: 1 }])).status).toBe(403)
  })
})

test('an answer that is longer than memory should hold is made while it is taken', async () => {
  const topic = await fresh('long', 1, { 'revision.diff': true })
  for (let n = 0; n < 10; n++) {
    const records = Array.from({ length: 30 }, (_, i) => ({ key: 'k', value: `${10 + n}-${i}-${'x'.repeat(10_000)}` }))
    await stage.post(`/topics/${topic}/records`, records)
  }
  const { json, headers } = await stage.get(keyPath(topic, 'k', '?revisions=all'))
  expect(headers['transfer-encoding']).toBe('chunked')
  expect(json.revisions).toHaveLength(299)
  expect(json.revisions.at(-1).value).toMatch(/^10-0-x/)
})
