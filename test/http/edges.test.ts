// What HTTP reaches of the rest of the house: commands of branches, quotas, damaged files.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { alterClientQuotas } from '../../protocol/messages/49-alter-client-quotas.ts'
import { Broker } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'
import { HttpStage, raw, Tail } from './stage.ts'

let stage: HttpStage
beforeAll(async () => {
  stage = await HttpStage.open({ topics: ['orders'] })
})
afterAll(async () => stage[Symbol.asyncDispose]())

/** A topic of the API, which its first use makes: Metadata here. */
const command = async (value: object) => {
  const answer = await stage.post('/topics/__branch_commands/records', [{ value }])
  expect(answer.status).toBe(200)
}

test('a branch is made and merged by records that are posted, and the tail of the history tells of it', async () => {
  await stage.broker.fork({ from: 'orders', set: 'first' })
  await using history = await Tail.open(`${stage.url}/topics/__branches/tail`)
  await history.begin()
  const event = async () => JSON.parse((await history.next())!.data).value
  await command({ op: 'fork', id: 'f1', from: 'orders', to: 'orders--try' })
  expect(await event()).toMatchObject({ type: 'fork', id: 'f1', status: 'done' })
  await stage.post('/topics/orders/records?branch=try', [{ value: 'on the branch' }])
  await command({ op: 'merge', id: 'm1', from: 'orders--try', into: 'orders' })
  expect(await event()).toMatchObject({ type: 'merge-begin', id: 'm1' })
  expect(await event()).toMatchObject({ type: 'merge', id: 'm1', status: 'committed' })
  const { records } = (await stage.get('/topics/orders/records')).json
  expect(records).toMatchObject([{ value: 'on the branch' }])
  expect(records[0].headers.map(({ key }: { key: string }) => key)).toContain('branch.merge')
})

test('a command that is given inside a set means the names in there', async () => {
  await stage.broker.fork({ from: 'orders', set: 'inside' })
  await using history = await Tail.open(`${stage.url}/topics/__branches/tail`)
  await history.begin()
  const value = { op: 'fork', id: 'f2', from: 'orders', to: 'copy' }
  const answer = await stage.post('/topics/__branch_commands/records?branch=inside', [{ value }])
  // The topics of the API are no members of a set: they are named as they are.
  expect(answer.status).toBe(200)
  const event = JSON.parse((await history.next())!.data).value
  expect(event).toMatchObject({ type: 'fork', id: 'f2', topics: [{ from: 'orders--inside' }] })
})

test('quotas of the client id http are kept: who owes waits for the answer', async () => {
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  const alter = (ops: { key: string; value: number; remove: boolean }[]) =>
    wire.ask(alterClientQuotas, 1, {
      entries: [{ entity: [{ entityType: 'client-id', entityName: 'http' }], ops }],
      validateOnly: false,
    })
  await alter([
    { key: 'producer_byte_rate', value: 100_000, remove: false },
    { key: 'consumer_byte_rate', value: 100_000, remove: false },
  ])
  for (let i = 0; i < 5; i++) {
    expect((await stage.post('/topics/orders/records', [{ key: 'k', value: 'x'.repeat(1000) }])).status).toBe(200)
    expect((await stage.ask('PUT', '/topics/orders/keys/k', { body: 'y'.repeat(1000) })).status).toBe(200)
  }
  await using tail = await Tail.open(`${stage.url}/topics/orders/tail?offset=-5`)
  for (let i = 0; i < 5; i++) expect((await tail.next())!.event).toBe('message')
  wire.close()
})

/** The files of packs below a folder. */
const packsIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.pack'))

test('R26: what is damaged is said to be, by its file, and everything else is told', async () => {
  const data = mkdtempSync(join(tmpdir(), 'twiglog-http-'))
  try {
    const config = { 'revision.diff': true, 'revision.pack.lag.ms': 0, 'segment.ms': 1 }
    const names = Array.from({ length: 40 }, (_, i) => `key-${i}`)
    const open = () => Broker.start({ http: true, data, storage: 'plain', topics: [{ name: 'docs', config }] })
    {
      await using broker = await open()
      const records = names.map((key) => ({ key, valueBase64: randomBytes(3000).toString('base64') }))
      const headers = { 'content-type': 'application/json' }
      const post = (of: readonly object[]) =>
        raw(broker.httpUrl!, 'POST', '/topics/docs/records', { headers, body: JSON.stringify({ records: of }) })
      for (let n = 0; n < 5; n++) await post(records)
      for (; packsIn(data).length === 0; await pause(20)) await post([{ key: 'more', value: 1 }])
    }
    const [path] = packsIn(data).sort()
    const bytes = readFileSync(join(data, path!))
    // The first block behind the head is one of values.
    bytes[8 + 20]! ^= 1
    writeFileSync(join(data, path!), bytes)
    await using broker = await open()
    const target = (name: string) => `/topics/docs/keys/${name}?revisions=all`
    const answers = await Promise.all(names.map((name) => raw(broker.httpUrl!, 'GET', target(name))))
    const damaged = answers.filter(({ status }) => status !== 200)
    expect(damaged.length).toBeGreaterThan(0)
    expect(damaged.length).toBeLessThan(names.length)
    for (const { status, json } of damaged) {
      expect([status, json.error]).toEqual([500, 'CORRUPT_MESSAGE'])
      expect(json.detail).toContain(basename(path!))
    }
    expect((await raw(broker.httpUrl!, 'GET', '/healthz')).json.status).toBe('ok')
    expect((await raw(broker.httpUrl!, 'PUT', '/topics/docs/keys/more', { body: '2' })).status).toBe(200)
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})
