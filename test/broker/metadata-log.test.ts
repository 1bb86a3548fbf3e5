// The metadata log: every change is whole or not there, at whatever byte the process dies.

import { describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { Acl, Operation } from '../../src/auth/acl.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { MetadataLog, type MetadataRecord, type MetadataState } from '../../src/broker/metadata-log.ts'
import { checkLog } from '../../src/log/check.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { batchOf } from '../log/log-environment.ts'

const open = (store: FaultyStore) => new MetadataLog(store, systemClock)
const copyOf = (state: MetadataState): MetadataState => structuredClone(state)
const topic = (name: string, configs: Record<string, string> = {}): Extract<MetadataRecord, { type: 'topic' }> => ({
  v: 1,
  type: 'topic',
  id: `id-of-${name}`,
  name,
  partitions: 1,
  configs,
  at: 5,
})

const acl = (operation: Operation): Acl => ({
  resourceType: 'TOPIC',
  resourceName: 'orders',
  patternType: 'PREFIXED',
  principal: 'User:ann',
  host: '*',
  operation,
  permission: 'ALLOW',
})

/** Changes of every kind; each array is one change. */
const history: readonly (readonly MetadataRecord[])[] = [
  [{ v: 1, type: 'cluster', id: 'cluster', at: 1 }],
  [topic('orders'), topic('stock', { 'retention.ms': '5' })],
  [{ v: 1, type: 'partitions', id: 'id-of-orders', count: 7 }],
  [{ v: 1, type: 'config', of: 'topic', name: 'orders', configs: { 'cleanup.policy': 'compact' } }],
  [{ v: 1, type: 'config', of: 'broker', name: '', configs: { 'log.retention.ms': '9' } }],
  [{ v: 1, type: 'config', of: 'group', name: 'readers', configs: { 'share.isolation.level': 'read_committed' } }],
  [{ v: 1, type: 'config', of: 'client-metrics', name: 'm', configs: { 'interval.ms': '100' } }],
  [{ v: 1, type: 'config', of: 'client-metrics', name: 'm', configs: {} }],
  [{ v: 1, type: 'feature', name: 'kraft.version', level: 1 }],
  [
    {
      v: 1,
      type: 'scram',
      user: 'ann',
      mechanism: 2,
      credential: { iterations: 4096, salt: 's', storedKey: 'k', serverKey: 'v' },
    },
  ],
  [{ v: 1, type: 'quota', entity: { user: 'ann', 'client-id': null }, values: { request_percentage: 5 } }],
  [{ v: 1, type: 'quota', entity: { 'client-id': null, user: 'ann' }, values: {} }],
  [{ v: 1, type: 'scram-removed', user: 'ann', mechanism: 2 }],
  [
    { v: 1, type: 'acl', acl: acl('READ') },
    { v: 1, type: 'acl', acl: acl('WRITE') },
    { v: 1, type: 'acl', acl: acl('ALL') },
  ],
  [
    { v: 1, type: 'acl-removed', acl: acl('READ') },
    { v: 1, type: 'acl-removed', acl: acl('ALL') },
  ],
  [{ v: 1, type: 'producer-ids', next: 1000 }],
  [{ v: 1, type: 'topic-removed', id: 'id-of-stock' }, topic('stock--again')],
]

describe('a change', () => {
  test('is there as a whole or not at all after a kill at any byte of it', async () => {
    const store = new FaultyStore()
    const log = open(store)
    let crashes = 0
    for (const records of history) {
      const before = copyOf(log.state)
      const after = copyOf(before)
      const found: MetadataState[] = []
      const byteCount = encodeBatch({
        records: records.map((record) => ({ timestamp: 1, value: Buffer.from(JSON.stringify(record)) })),
      }).length
      store.fault = (operation) => {
        if (operation !== 'staged' && operation !== 'commit') return undefined
        for (let torn = 0; torn <= byteCount + 20; torn++) {
          found.push(copyOf(open(store.after('kill', torn, undefined, torn % 2)).state))
          crashes++
        }
        return undefined
      }
      await log.commit(records)
      store.fault = () => undefined
      Object.assign(after, copyOf(log.state))
      const other = found.filter((state) => !equals(state, before) && !equals(state, after))
      expect(other).toEqual([])
      expect(found.some((state) => equals(state, before))).toBe(true)
      expect(found.some((state) => equals(state, after))).toBe(true)
    }
    expect(crashes).toBeGreaterThan(1000)
  })

  test('is there after a power cut once its promise has resolved', async () => {
    const store = new FaultyStore()
    const log = open(store)
    for (const records of history) {
      await log.commit(records)
      expect(open(store.after('power cut')).state).toEqual(log.state)
    }
  })

  test('that the disk refuses has not taken effect', async () => {
    const store = new FaultyStore()
    const log = open(store)
    await log.commit(history[0]!)
    const before = copyOf(log.state)
    store.fault = (operation) => (operation === 'stage' ? 'ENOSPC' : undefined)
    expect(() => log.commit([topic('refused')])).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    store.fault = () => undefined
    expect(log.state).toEqual(before)
    await log.commit([topic('taken')])
    expect([...open(store.after('kill')).state.topics.values()].map(({ name }) => name)).toEqual(['taken'])
  })
})

const equals = (a: MetadataState, b: MetadataState): boolean => plain(a) === plain(b)
const plain = ({ topics, brokerConfigs, acls, removed, ...rest }: MetadataState): string =>
  JSON.stringify([rest, [...topics], [...brokerConfigs], [...acls], [...removed]])

test('a snapshot says the same in fewer bytes, at whatever moment of it the process dies or the power fails', async () => {
  const store = new FaultyStore()
  const log = new MetadataLog(store, systemClock, Infinity)
  await log.commit(history.flat())
  const long = 'x'.repeat(100_000)
  for (let i = 0; i < 12; i++) {
    await log.commit([{ v: 1, type: 'config', of: 'topic', name: 'orders', configs: { note: `${i}${long}` } }])
  }
  // Deleted topics whose folders are gone need not be remembered.
  const lasting = (state: MetadataState) => ({ ...copyOf(state), removed: new Set() })
  const before = lasting(log.state)
  let crashes = 0
  store.fault = (operation) => {
    if (operation === 'read' || operation === 'stage') return undefined
    expect(lasting(open(store.after('kill', crashes * 997)).state)).toEqual(before)
    for (const luck of [() => false, () => true]) {
      expect(lasting(open(store.after('power cut', 0, luck)).state)).toEqual(before)
    }
    crashes++
    return undefined
  }
  await log.snapshot()
  store.fault = () => undefined
  expect(crashes).toBeGreaterThan(8)
  expect(lasting(log.state)).toEqual(before)
  const after = store.after('power cut')
  expect(lasting(open(after).state)).toEqual(before)
  const bytes = checkLog(after, 'metadata')
  expect(bytes.findings.filter(({ kind }) => kind === 'damage')).toEqual([])
  expect(checkLog(store, 'metadata').bytes).toBeLessThan(200_000)
})

test('a log that grows while the broker lives is made shorter, and says the same', async () => {
  const store = new FaultyStore()
  const log = open(store)
  await log.commit([...history.flat(), topic('changed')])
  const long = 'x'.repeat(50_000)
  for (let i = 0; i < 100; i++) {
    await log.commit([{ v: 1, type: 'config', of: 'topic', name: 'changed', configs: { note: `${i}${long}` } }])
  }
  await log.shrink()
  expect(checkLog(store, 'metadata').bytes).toBeLessThan(2_500_000)
  const lasting = (state: MetadataState) => ({ ...copyOf(state), removed: new Set() })
  for (const after of [store.after('kill'), store.after('power cut')]) {
    expect(lasting(open(after).state)).toEqual(lasting(log.state))
  }
})

test('what changes while a snapshot is made ready is in it as it is in the end', async () => {
  const store = new FaultyStore()
  const log = open(store)
  const many = Array.from({ length: 3000 }, (_, i) => topic(`t${i}`))
  await log.commit(many)
  const seat = (id: string, epoch: number): MetadataRecord => {
    return { v: 1, type: 'leadership', id, partitions: [{ partition: 0, replicas: [1], leader: 1, epoch }] }
  }
  await log.commit(many.map(({ id }) => seat(id, 1)))
  let isOver = false
  const done = log.snapshot().finally(() => {
    isOver = true
  })
  let changes = 0
  for (; !isOver || changes < 5; changes++) {
    const [renamed, grown, led, configured, gone] = [0, 600, 1200, 1800, 2400].map((at) => many[at + changes]!)
    await log.commit([
      { v: 1, type: 'topic-renamed', id: renamed!.id, name: `renamed ${changes}` },
      { v: 1, type: 'partitions', id: grown!.id, count: 7 },
      seat(led!.id, 2),
      { v: 1, type: 'config', of: 'topic', name: configured!.name, configs: { 'retention.ms': '1' } },
      { v: 1, type: 'topic-removed', id: gone!.id },
      topic(`new ${changes}`),
    ])
    await new Promise((resolve) => setImmediate(resolve))
  }
  await done
  const lasting = (state: MetadataState) => ({ ...copyOf(state), removed: new Set() })
  expect(lasting(open(store.after('kill')).state)).toEqual(lasting(log.state))
  await log.snapshot()
  expect(lasting(open(store.after('power cut')).state)).toEqual(lasting(log.state))
})

test('records of a newer version are kept and change nothing', async () => {
  const store = new FaultyStore()
  const log = open(store)
  await log.commit(history[0]!)
  await log.commit([{ v: 1, type: 'from-the-future', name: 'x' } as unknown as MetadataRecord])
  expect(open(store.after('kill')).state).toEqual(log.state)
})

test('a start removes the folders of deleted topics, and leaves alone what it does not know', async () => {
  const store = new FaultyStore()
  const core = new Broker({ store, clock: systemClock, config: new BrokerConfig(new Map()) })
  const [orders, stock] = await core.createTopics(
    ['orders', 'stock'].map((name) => ({ name, partitions: 1, configs: {} })),
  )
  for (const { partitions } of [orders!, stock!]) partitions[0]!.append(batchOf(['v0']), 9)
  store.fault = (operation) => (operation === 'remove' ? 'EIO' : undefined)
  await expect(core.deleteTopic(stock!)).rejects.toThrow('EIO')
  const killed = store.after('kill')
  expect(killed.list('topics').length).toBe(2)
  new Broker({ store: killed, clock: systemClock, config: new BrokerConfig(new Map()) })
  await eventually(() => expect(killed.list('topics')).toEqual([orders!.id]))
  // Without its metadata a folder with records is no rubbish.
  killed.removeFolder('metadata')
  new Broker({ store: killed, clock: systemClock, config: new BrokerConfig(new Map()) })
  expect(killed.list('topics')).toEqual([orders!.id])
})
