// Views and packs behind the HTTP port: what they show is what their source has.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Broker } from '../../src/index.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { Packs, revisionOf } from '../revision/packs.ts'
import { HttpStage, raw, Tail } from './stage.ts'

/** The clock has to tick before a segment is older than a millisecond. */
async function closed(packs: Packs): Promise<void> {
  const count = async () => (await packs.files()).length
  for (const before = await count(); (await count()) === before; await pause(2)) await packs.revise('docs', 'other', 1)
}

type Shown = { rev: number; value: unknown; key: string; offset: number }

test('the state of a topic is read, and followed, as a view shows it', async () => {
  await using stage = await HttpStage.open({ topics: [{ name: 'docs', config: { 'revision.diff': true } }] })
  const put = (key: string, value: unknown) => stage.post('/topics/docs/records', [{ key, value }])
  for (const [key, value] of [
    ['a', 1],
    ['b', 1],
    ['a', 2],
  ] as const)
    await put(key, value)
  await stage.broker.createTopics([{ name: 'now', config: { 'view.of': 'docs', 'view.kind': 'state' } }])
  const read = async (query = '') => (await stage.get(`/topics/now/records${query}`)).json
  const shown = ({ records }: { records: Shown[] }) => records.map(({ key, value, offset }) => [offset, key, value])
  expect(shown(await read())).toEqual([
    [1, 'b', 1],
    [2, 'a', 2],
  ])
  await using tail = await Tail.open(`${stage.url}/topics/now/tail`)
  expect(await tail.begin()).toBe('0=3')
  await put('b', 2)
  expect(JSON.parse((await tail.next())!.data)).toMatchObject({ offset: 3, key: 'b', value: 2 })
  expect((await stage.get('/topics')).json.topics).toContainEqual(
    expect.objectContaining({ name: 'now', viewOf: 'docs' }),
  )
  expect((await stage.get('/topics/now')).json.partitions).toEqual([
    { partition: 0, leader: 1, earliest: 0, latest: 4 },
  ])
  expect((await stage.get('/metrics')).text).toContain('twiglog_views 1\n')
})

test('a state of one key that was written again and again is found, from wherever it is asked for', async () => {
  await using stage = await HttpStage.open({ topics: [{ name: 'docs', config: { 'revision.diff': true } }] })
  const hot = Array.from({ length: 2500 }, (_, n) => ({ key: 'hot', value: n }))
  for (let i = 0; i < 4; i++) await stage.post('/topics/docs/records', hot)
  for (const offset of ['5', 'earliest', '-9000']) {
    const name = `now${offset}`
    await stage.broker.createTopics([{ name, config: { 'view.of': 'docs', 'view.kind': 'state' } }])
    const { records, next } = (await stage.get(`/topics/${name}/records?offset=${offset}`)).json
    expect(records).toMatchObject([{ offset: 9999, value: 2499 }])
    expect(next).toBe('0=10000')
  }
})

test('where a view ends is told when it was looked at, and again when that has moved', async () => {
  await using stage = await HttpStage.open({ topics: [{ name: 'docs', config: { 'revision.diff': true } }] })
  const post = () =>
    stage.post(
      '/topics/docs/records',
      Array.from({ length: 800 }, (_, n) => ({ key: `${n}`, value: 'v'.repeat(1000) })),
    )
  await post()
  await stage.broker.createTopics([{ name: 'all', config: { 'view.of': 'docs', 'view.kind': 'history' } }])
  expect((await stage.get('/topics/all')).json.partitions).toMatchObject([{ earliest: 0, latest: 800 }])
  await stage.get('/topics/all/records?limit=1')
  const told = async () =>
    /^kafka_topic_partition_current_offset\{topic="all",partition="0"\} (\d+)$/m.exec(
      (await stage.get('/metrics')).text,
    )![1]
  expect(await told()).toBe('800')
  await post()
  await stage.get('/topics/all')
  expect(await told()).toBe('1600')
})

test('R31: the same answers come from packs', async () => {
  await using packs = await Packs.open(new MemoryStore(), { http: true })
  const url = packs.stage.broker.httpUrl!
  await packs.create('docs')
  await packs.revise('docs', 'k', 200, { atOnce: 40 })
  await closed(packs)
  await packs.packed()
  const ask = async (target: string) => (await raw(url, 'GET', `/topics/docs/keys/${target}`)).json
  const { current, revisions } = await ask('k?revisions=all')
  const all: Shown[] = [current, ...revisions]
  expect(all.map(({ rev }) => rev)).toEqual(Array.from({ length: 200 }, (_, i) => 200 - i))
  for (const { rev, value } of all) expect(value).toEqual(JSON.parse(revisionOf('k', rev)))
  expect((await ask('k?at=rev:77')).current.value).toEqual(JSON.parse(revisionOf('k', 77)))
  const info = await ask('k/info')
  expect(info).toMatchObject({ revisionCount: 200, offset: 199 })
  expect(info.stored).toBeLessThan(info.full / 2)
  const written = await raw(url, 'PUT', '/topics/docs/keys/k', { body: '{}', headers: { 'if-match': '200' } })
  expect(written.json.rev).toBe(201)
  const { text } = await raw(url, 'GET', '/metrics')
  expect(Number(/^twiglog_revision_packs_total (\d+)$/m.exec(text)![1])).toBeGreaterThan(0)
})

test('a revision that its keep rule has dropped is not there, and the numbers of the others stay', async () => {
  await using packs = await Packs.open(new MemoryStore(), { http: true })
  const url = packs.stage.broker.httpUrl!
  await packs.create('docs', { 'revision.keep': 'last:5' })
  await packs.revise('docs', 'k', 20, { atOnce: 20 })
  await closed(packs)
  await packs.packed()
  const ask = (query: string) => raw(url, 'GET', `/topics/docs/keys/k${query}`)
  const { current, revisions } = (await ask('?revisions=all&patch=false')).json
  expect([current, ...revisions].map(({ rev }: Shown) => rev)).toEqual([20, 19, 18, 17, 16])
  expect(revisions.at(-1)).toMatchObject({ rev: 16, base: null, format: 'full' })
  const dropped = await ask('?at=rev:3')
  expect([dropped.status, dropped.json.detail]).toEqual([404, expect.stringContaining('keep rule')])
})

test('numbers and conditions go on after a restart', async () => {
  const data = mkdtempSync(join(tmpdir(), 'twiglog-http-'))
  try {
    const target = '/topics/docs/keys/k'
    const topics = [{ name: 'docs', config: { 'revision.diff': true } }]
    for (let life = 0; life < 3; life++) {
      await using broker = await Broker.start({ http: true, data, topics })
      const put = (rev: number) =>
        raw(broker.httpUrl!, 'PUT', target, { body: `{"life":${life}}`, headers: { 'if-match': String(rev) } })
      expect((await put(2 * life + 1)).status).toBe(412)
      expect((await put(2 * life)).json.rev).toBe(2 * life + 1)
      expect((await put(2 * life + 1)).json.rev).toBe(2 * life + 2)
      const { revisions } = (await raw(broker.httpUrl!, 'GET', `${target}?revisions=all`)).json
      expect(revisions).toHaveLength(2 * life + 1)
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})
