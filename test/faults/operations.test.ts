// A disk that fails, at every operation there is, under everything that clients have a broker write: a refusal is an answer, reads go
// on, nobody's connection is cut, what was acknowledged stays, and whoever is not concerned notices nothing.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkStore } from '../../src/cli/check.ts'
import { Broker } from '../../src/embedded.ts'
import { type Fault, FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { Client, type Deed, deeds, safe, small } from './deeds.ts'
import { config } from './furnished.ts'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Operation = Parameters<Fault>[0]
type Row = { readonly name: string; readonly code: string; readonly operations: readonly Operation[] }

const writes = ['create', 'stage', 'commit', 'save', 'rename', 'remove', 'share'] as const
const rows: Row[] = [
  { name: 'is full', code: 'ENOSPC', operations: ['create', 'stage', 'commit', 'save', 'share'] },
  { name: 'is read-only', code: 'EROFS', operations: writes },
  ...writes.map((one) => ({ name: `fails to ${one}`, code: 'EIO', operations: [one] })),
  { name: 'fails to read', code: 'EIO', operations: ['read'] },
  { name: 'fails to flush', code: 'EIO', operations: ['flush'] },
  { name: 'fails to sync a folder', code: 'EIO', operations: ['sync'] },
]
/** They leave nothing behind that could be lost: the next attempt is as good as the first. */
const isOver = ({ operations }: Row): boolean => !operations.some((one) => one === 'flush' || one === 'sync')

/** The last of them where the topic could not be made. */
const refusals = ['KAFKA_STORAGE_ERROR', 'COORDINATOR_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION']

async function stage(): Promise<{ store: FaultyStore; broker: Broker; client: Client }> {
  const store = new FaultyStore()
  const broker = await Broker.start({ storage: store, config })
  const client = await Client.open(broker.bootstrapServers)
  const made: [string, Record<string, string>][] = [
    ['struck', small],
    ['safe', safe],
    ['other', safe],
    ['grown', {}],
    ['trimmed', {}],
    ['doomed-0', {}],
    ['doomed-1', {}],
    ['doomed-2', {}],
    ['first-0', safe],
    ['first-1', safe],
    ['first-2', safe],
  ]
  for (const [name, configs] of made) expect(await client.create(name, configs)).toBe('NONE')
  for (const topic of ['struck', 'safe', 'other', 'trimmed', 'doomed-0', 'doomed-1', 'doomed-2']) {
    for (let i = 0; i < 4; i++) expect(await client.roll(topic)).toBe('NONE')
  }
  // What the broker makes for itself when it is first asked for it.
  await client.fork('other', 'other--early')
  await client.commit('group', 'other', 1)
  await client.identify('transactional')
  return { store, broker, client }
}

async function expectAll(client: Client, of: Client = client, but: readonly string[] = []): Promise<void> {
  for (const [topic, values] of of.acknowledged) {
    if (but.includes(topic)) continue
    const wanted = expect.arrayContaining(topic === 'trimmed' ? values.slice(4) : values)
    // What outlived a kill is flushed before it is shown.
    await eventually(async () => expect(await client.values(topic, topic === 'trimmed' ? 4 : 0), topic).toEqual(wanted))
  }
}

const doAll = async (client: Client, turn: number): Promise<Map<string, string>> => {
  const told = new Map<string, string>()
  for (const [name, deed] of Object.entries(deeds) as [string, Deed][]) told.set(name, await deed(client, turn))
  return told
}

describe.each(rows)('a disk that $name ($code)', (row) => {
  const { code, operations } = row

  test('refuses what it cannot write and keeps the rest, and after a restart all is there that was acknowledged', {
    timeout: 120_000,
  }, async () => {
    const { store, broker, client } = await stage()
    let failures = 0
    const crashes: ['kill' | 'power cut', FaultyStore][] = []
    const doomed = ['doomed-0', 'doomed-1', 'doomed-2']
    try {
      store.fault = (operation) => {
        if (!operations.includes(operation)) return undefined
        failures++
        return code
      }
      const during = await doAll(client, 0)
      if (operations.includes('read')) expect(await client.values('struck')).toBe('KAFKA_STORAGE_ERROR')
      expect(failures).toBeGreaterThan(0)
      for (const [deed, told] of during) expect(['NONE', ...refusals], deed).toContain(told)
      if (!operations.includes('read')) await expectAll(client, client, doomed)
      store.fault = () => undefined
      const after = await doAll(client, 1)
      for (const [deed, told] of after) {
        if (isOver(row)) expect(told, deed).toBe('NONE')
        else expect(['NONE', ...refusals], deed).toContain(told)
      }
      if (!isOver(row)) {
        // Never believed again, however often it is tried.
        const [deed, topic] = operations.includes('flush') ? ['a record', 'safe'] : ['a first record', 'first-0']
        expect(during.get(deed!)).toBe('KAFKA_STORAGE_ERROR')
        for (let i = 0; i < 3; i++) expect(await client.produce(topic!)).toBe('KAFKA_STORAGE_ERROR')
        // Nobody waits for the flush of a segment that was closed, and yet it has failed.
        if (operations.includes('flush')) expect(await client.produce('struck')).toBe('KAFKA_STORAGE_ERROR')
      }
      await expectAll(client, client, doomed)
      crashes.push(['kill', store.after('kill')], ['power cut', store.after('power cut')])
    } finally {
      client.close()
      await broker.stop().catch(() => {})
    }
    for (const [event, left] of crashes) {
      expect(checkStore(left).findings.filter(({ kind }) => kind === 'damage')).toEqual([])
      const again = await Broker.start({ storage: left, config })
      const reader = await Client.open(again.bootstrapServers)
      try {
        const unsafe = [...client.acknowledged.keys()].filter((topic) => !/^(safe|other|first-.)$/.test(topic))
        await expectAll(reader, client, event === 'kill' ? doomed : unsafe)
        for (const [deed, told] of await doAll(reader, 2)) {
          // The power cut may have taken what is to be deleted.
          if (deed !== 'a log start' || event === 'kill') expect(told, deed).toBe('NONE')
        }
      } finally {
        reader.close()
        await again.stop()
      }
    }
  })

  test('in the files of one topic is no matter for any other', { timeout: 120_000 }, async () => {
    const { store, broker, client } = await stage()
    try {
      const own = await client.folder('struck')
      store.fault = (operation, path) => (operations.includes(operation) && path.startsWith(own) ? code : undefined)
      await client.roll('struck')
      for (let i = 0; i < 3; i++) expect(await client.roll('other')).toBe('NONE')
      expect(await client.create('meanwhile')).toBe('NONE')
      expect(await client.commit('group', 'other', 2)).toBe('NONE')
      await client.roll('struck')
      expect(await client.values('other')).toEqual(client.acknowledged.get('other'))
    } finally {
      store.fault = () => undefined
      client.close()
      await broker.stop().catch(() => {})
    }
  })
})
