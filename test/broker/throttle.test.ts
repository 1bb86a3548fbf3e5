// Quotas: whose counts for whom, and how long one who used too much has to wait. Time moves when it is told to.

import { describe, expect, test } from 'vitest'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { ClientQuotas } from '../../src/broker/client-quotas.ts'
import { MetadataLog } from '../../src/broker/metadata-log.ts'
import type { QuotaEntity } from '../../src/broker/quota-entity.ts'
import { Throttle } from '../../src/broker/throttle.ts'
import { TokenBucket } from '../../src/broker/token-bucket.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { FakeClock } from '../group/world.ts'

function open(settings: [string, string][] = []) {
  const clock = new FakeClock()
  const quotas = new ClientQuotas(new MetadataLog(new MemoryStore(), clock))
  const throttle = new Throttle(quotas, clock, new BrokerConfig(settings))
  const set = (entity: QuotaEntity, values: Record<string, number>) => quotas.set([{ entity, values }])
  return { clock, quotas, throttle, set }
}

const ann = { principal: 'User:ann', clientId: 'app' }
const bob = { principal: 'User:bob', clientId: 'app' }

describe('a bucket', () => {
  const flow = { rate: 100, capacity: 100 }

  test('holds its rate over a long run, whatever the pieces', () => {
    for (const piece of [1, 7, 250, 5000]) {
      const bucket = new TokenBucket(100, 0)
      let [now, used] = [0, 0]
      while (used < 100_000) {
        used += piece
        now += bucket.take(piece, flow, now)
      }
      const rate = (used * 1000) / now
      expect(Math.abs(rate - 100), `pieces of ${piece}`).toBeLessThan(1)
    }
  })

  test('gives what came in while nobody used it, up to its capacity', () => {
    const bucket = new TokenBucket(100, 0)
    expect(bucket.take(100, flow, 0)).toBe(0)
    expect(bucket.take(50, flow, 500)).toBe(0)
    expect(bucket.take(101, flow, 1_000_000)).toBe(10)
  })

  test('is not moved by a clock that is set back', () => {
    const bucket = new TokenBucket(100, 10_000)
    expect(bucket.take(200, flow, 10_000)).toBe(1000)
    expect(bucket.take(0, flow, 5000)).toBe(1000)
    expect(bucket.take(0, flow, 5500)).toBe(500)
  })
})

describe('which quota counts', () => {
  const kind = 'producer_byte_rate'
  /** The most particular first (KIP-55). */
  const levels: QuotaEntity[] = [
    { user: 'ann', 'client-id': 'app' },
    { user: 'ann', 'client-id': null },
    { user: 'ann' },
    { user: null, 'client-id': 'app' },
    { user: null, 'client-id': null },
    { user: null },
    { 'client-id': 'app' },
    { 'client-id': null },
  ]

  test('the most particular one that is set', async () => {
    const { quotas, set } = open()
    for (const [i, entity] of [...levels.entries()].reverse()) {
      await set(entity, { [kind]: i + 1 })
      expect(quotas.find(kind, 'ann', 'app')?.rate, JSON.stringify(entity)).toBe(i + 1)
    }
    for (const [i, entity] of levels.entries()) {
      await set(entity, {})
      expect(quotas.find(kind, 'ann', 'app')?.rate).toBe(i + 2 > levels.length ? undefined : i + 2)
    }
    expect(quotas.hasClientQuotas).toBe(false)
  })

  test('another kind at a more particular level does not stand in its way', async () => {
    const { quotas, set } = open()
    await set({ user: 'ann' }, { consumer_byte_rate: 1 })
    await set({ 'client-id': 'app' }, { producer_byte_rate: 2 })
    expect(quotas.find('producer_byte_rate', 'ann', 'app')?.rate).toBe(2)
    expect(quotas.find('consumer_byte_rate', 'ann', 'app')?.rate).toBe(1)
  })

  test.each<[QuotaEntity, shared: string[]]>([
    [{ user: 'ann' }, ['ann app', 'ann other']],
    [{ user: null }, ['ann app', 'ann other']],
    [{ user: null, 'client-id': null }, ['ann app']],
    [{ 'client-id': null }, ['ann app', 'bob app']],
    [{ 'client-id': 'app' }, ['ann app', 'bob app']],
  ])('%j is shared by %j', async (entity, shared) => {
    const { throttle, set } = open()
    await set(entity, { [kind]: 1000 })
    const everybody = ['ann', 'bob'].flatMap((user) => ['app', 'other'].map((clientId) => `${user} ${clientId}`))
    const charge = (who: string, cost: number) => {
      const [user, clientId = ''] = who.split(' ')
      return throttle.charge(kind, { principal: `User:${user}`, clientId }, cost)
    }
    charge('ann app', 2000)
    expect(everybody.filter((who) => charge(who, 0) > 0)).toEqual(shared)
  })
})

describe('what is used', () => {
  test('costs nothing where no quota is set, and a quota of an address does not change that', async () => {
    const { throttle, set } = open()
    expect([throttle.isOn, throttle.charge('producer_byte_rate', ann, 1e9)]).toEqual([false, 0])
    await set({ ip: '10.0.0.1' }, { connection_creation_rate: 1 })
    expect(throttle.isOn).toBe(false)
  })

  test('is waited for until the rate has given it', async () => {
    const { clock, throttle, set } = open()
    await set({ user: 'ann' }, { producer_byte_rate: 1000, consumer_byte_rate: 500 })
    expect(throttle.charge('producer_byte_rate', ann, 0)).toBe(0)
    expect(throttle.charge('producer_byte_rate', ann, 2500)).toBe(2500)
    expect(throttle.charge('consumer_byte_rate', ann, 250)).toBe(500)
    expect(throttle.charge('producer_byte_rate', bob, 1e9)).toBe(0)
    await clock.pass(2000)
    expect(throttle.charge('producer_byte_rate', ann, 0)).toBe(500)
    await clock.pass(1_000_000)
    // What came in while nobody used it is kept for a second, no longer.
    expect(throttle.charge('producer_byte_rate', ann, 3000)).toBe(2000)
  })

  test('at a rate that was changed, at once', async () => {
    const { throttle, set } = open()
    await set({ user: 'ann' }, { producer_byte_rate: 1000 })
    expect(throttle.charge('producer_byte_rate', ann, 1000)).toBe(1000)
    await set({ user: 'ann' }, { producer_byte_rate: 10_000 })
    expect(throttle.charge('producer_byte_rate', ann, 0)).toBe(100)
    await set({ user: 'ann' }, {})
    expect(throttle.charge('producer_byte_rate', ann, 1e9)).toBe(0)
  })

  test('of time is a share of one thread, and never waited for longer than a window', async () => {
    const { throttle, set } = open()
    await set({ 'client-id': 'app' }, { request_percentage: 10 })
    expect(throttle.charge('request_percentage', ann, 5)).toBe(50)
    expect(throttle.charge('request_percentage', ann, 1000)).toBe(1000)
  })

  test('one answer brings no more than a quarter of a window is worth', async () => {
    const { throttle, set } = open([['quota.window.size.seconds', '2']])
    expect(throttle.bytesMax('consumer_byte_rate', ann)).toBe(Infinity)
    await set({ user: 'ann' }, { consumer_byte_rate: 1000 })
    expect(throttle.bytesMax('consumer_byte_rate', ann)).toBe(500)
  })

  test('by connecting is held against the address, but not what was turned away', async () => {
    const { clock, throttle, set } = open()
    await set({ ip: null }, { connection_creation_rate: 2 })
    expect([1, 2, 3, 4].map(() => throttle.connect('10.0.0.1'))).toEqual([0, 0, 500, 500])
    expect(throttle.connect('10.0.0.2')).toBe(0)
    await clock.pass(500)
    expect([1, 2].map(() => throttle.connect('10.0.0.1'))).toEqual([0, 500])
  })
})

describe('changes of the cluster', () => {
  test('may come in a burst of eleven windows; then who can be told is refused until nothing is owed', async () => {
    const { clock, throttle, set } = open()
    await set({ user: 'ann' }, { controller_mutation_rate: 3 })
    // As a real controller was seen to do: 33 are there, the one that goes into the red is still served.
    const outcomes = Array.from({ length: 40 }, () => throttle.mutate(ann, 1, true))
    expect(outcomes.filter(({ refused }) => !refused)).toHaveLength(34)
    expect(outcomes.at(-1)).toEqual({ refused: true, ms: 334 })
    await clock.pass(334)
    expect(throttle.mutate(ann, 100, true)).toEqual({ refused: false, ms: 0 })
    expect(throttle.mutate(ann, 1, true).refused).toBe(true)
  })

  test('by those who cannot be told are made, and waited for', async () => {
    const { throttle, set } = open()
    await set({ user: 'ann' }, { controller_mutation_rate: 1 })
    expect(throttle.mutate(ann, 11, false)).toEqual({ refused: false, ms: 0 })
    expect(throttle.mutate(ann, 4, false)).toEqual({ refused: false, ms: 4000 })
  })
})
