// What an acknowledgement promises, setting by setting: a broker dies or the power fails after some of them, and whoever reads later
// finds at least what was promised, in order, and nothing else.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Broker } from '../../src/embedded.ts'
import { FaultyStore, type Luck } from '../../src/storage/faulty-file.ts'
import { numbersFrom } from '../crash/world.ts'
import { eventually } from '../eventually.ts'
import { Client } from './deeds.ts'
import { config } from './furnished.ts'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Event = 'kill' | 'power cut'
type Row = {
  readonly setting: string
  readonly broker?: Record<string, string>
  readonly topic?: Record<string, string>
  /** Of so many acknowledged records, and so many that were on stable storage at some time before, how many are sure. */
  readonly sure: (acknowledged: number, flushed: number) => number
}

const nothing = () => 0
const rows: readonly Row[] = [
  { setting: 'flush.policy=none', sure: nothing },
  {
    setting: 'flush.policy=interval',
    broker: { 'flush.policy': 'interval', 'log.flush.interval.ms': '20' },
    sure: (_, flushed) => flushed,
  },
  { setting: 'flush.ms of a topic', topic: { 'flush.ms': '20' }, sure: (_, flushed) => flushed },
  { setting: 'flush.policy=batch', broker: { 'flush.policy': 'batch' }, sure: (acknowledged) => acknowledged },
  { setting: 'flush.messages=1 of a topic', topic: { 'flush.messages': '1' }, sure: (acknowledged) => acknowledged },
  {
    setting: 'flush.messages=10 of a topic',
    topic: { 'flush.messages': '10' },
    sure: (acknowledged) => acknowledged - 9,
  },
]

const valuesAfter = async (store: FaultyStore, row: Row, mustHave: number): Promise<string[]> => {
  await using broker = await Broker.start({ storage: store, config: { ...config, ...row.broker } })
  const client = await Client.open(broker.bootstrapServers)
  try {
    // At once: the first who asks is shown what was acknowledged.
    const values = (await client.values('t')) as string[]
    expect(values.length).toBeGreaterThanOrEqual(mustHave)
    return values
  } finally {
    client.close()
  }
}

describe.each(rows)('an acknowledgement with $setting', (row) => {
  test.each(['kill', 'power cut'] as const)('after a %s', async (event: Event) => {
    const store = new FaultyStore()
    const broker = await Broker.start({ storage: store, config: { ...config, ...row.broker } })
    const client = await Client.open(broker.bootstrapServers)
    const crashes: { left: FaultyStore; acknowledged: number; flushed: number }[] = []
    try {
      expect(await client.create('t', { 'segment.ms': '5', ...row.topic })).toBe('NONE')
      const own = await client.folder('t')
      const waits = row.sure(0, 1) === 1
      let flushed = 0
      const sizeIn = (of: FaultyStore) => of.sizeOf(logOf(store, own))
      for (let i = 1; i <= 33; i++) {
        expect(await client.produce('t')).toBe('NONE')
        if (waits && i === 20) {
          // The interval is over at some time, and then stable storage has all of it.
          const isSafe = () => expect(sizeIn(store.after('power cut'))).toBe(sizeIn(store))
          await eventually(isSafe)
          flushed = i
        }
        if (i % 11 === 0) {
          const chance = numbersFrom(i)
          const lucks: Luck[] = event === 'kill' ? [() => false] : [() => false, () => chance() < 0.5]
          for (const luck of lucks) crashes.push({ left: store.after(event, 0, luck), acknowledged: i, flushed })
        }
      }
    } finally {
      client.close()
      await broker.stop()
    }
    const all = client.acknowledged.get('t')!
    for (const { left, acknowledged, flushed } of crashes) {
      const sure = event === 'kill' ? acknowledged : Math.max(0, row.sure(acknowledged, flushed))
      const values = await valuesAfter(left, row, sure)
      expect(values).toEqual(all.slice(0, values.length))
    }
  })
})

const logOf = (store: FaultyStore, own: string): string =>
  `${own}/0/${store.list(`${own}/0`).findLast((name) => name.endsWith('.log'))}`

test('a commit of a group, a topic and a configuration that were acknowledged outlive a kill; what the metadata log has, a power cut too', async () => {
  const store = new FaultyStore()
  const broker = await Broker.start({ storage: store, config })
  const client = await Client.open(broker.bootstrapServers)
  await client.create('t')
  await client.configure('t', 'retention.ms', '12345678')
  await client.commit('g', 't', 7)
  const crashes = [store.after('kill'), store.after('power cut')] as const
  client.close()
  await broker.stop()
  for (const [i, left] of crashes.entries()) {
    await using again = await Broker.start({ storage: left, config })
    const reader = await Client.open(again.bootstrapServers)
    expect(await reader.create('t')).toBe('TOPIC_ALREADY_EXISTS')
    expect(await reader.configured('t', 'retention.ms')).toBe('12345678')
    if (i === 0) expect(await reader.committed('g', 't')).toBe(7)
    reader.close()
  }
})
