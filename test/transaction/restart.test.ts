// What a restart finds: every transaction as it was last answered for, and what was decided is finished.

import { expect, test } from 'vitest'
import { Transactions } from '../../src/transaction/coordinator.ts'
import { next, orders, settled, World } from './world.ts'

test('an id without a transaction keeps its producer id and epoch', async () => {
  const world = await World.start()
  await world.producer()
  await world.producer()
  await world.restart()
  expect(world.brief()).toBe('Empty 7/1')
  expect(await world.init()).toEqual({ producerId: 7, producerEpoch: 2 })
})

test('an open transaction stays open: it can be added to, committed, or times out', async () => {
  const world = await World.start()
  const held = await world.producer()
  await world.add(held)
  const before = world.state()
  await world.restart()
  expect(world.state()).toEqual(before)
  expect(world.marks).toEqual([])
  expect(await world.add(held, [orders(1)])).toBe('NONE')
  expect(await world.end(held)).toEqual(next(held))
  expect(world.marks).toEqual(['orders-0 COMMIT 7/1', 'orders-1 COMMIT 7/1'])
  await world.add(next(held))
  await world.restart()
  await world.clock.pass(70_000)
  expect(world.brief()).toBe('CompleteAbort 7/2')
})

test.each(['commit', 'abort'] as const)(
  'a %s that was decided and not written everywhere is finished',
  async (outcome) => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held, [orders(0), orders(1)])
    world.deaf.add('orders-1')
    await world.end(held, outcome)
    world.deaf.clear()
    await world.restart()
    const name = outcome === 'commit' ? 'Commit' : 'Abort'
    expect(world.brief()).toBe(`Complete${name} 7/1`)
    expect(new Set(world.marks)).toEqual(new Set([0, 1].map((p) => `orders-${p} ${outcome.toUpperCase()} 7/1`)))
    expect(await world.end(held, outcome)).toEqual(next(held))
  },
)

test('a decision that no partition has heard of yet is carried out by the next start', async () => {
  const world = await World.start()
  const held = await world.producer()
  await world.add(held)
  world.gate = new Promise(() => {})
  void world.end(held)
  await settled()
  world.gate = undefined
  await world.restart()
  expect(world.brief()).toBe('CompleteCommit 7/1')
  expect(world.marks).toEqual(['orders-0 COMMIT 7/1'])
})

test('the new producer id of an end at the last epoch is the same after a restart', async () => {
  const world = await World.atEpoch(32_766)
  const held = { producerId: 7, producerEpoch: 32_766 }
  await world.add(held)
  world.deaf.add('orders-0')
  expect(await world.end(held)).toEqual({ producerId: 8, producerEpoch: 0 })
  world.deaf.clear()
  await world.restart()
  expect(world.brief()).toBe('CompleteCommit 8/0')
  expect(await world.end(held)).toEqual({ producerId: 8, producerEpoch: 0 })
})

test('a compacted log says the same', async () => {
  const world = await World.start()
  let held = await world.producer()
  for (let i = 0; i < 5; i++) {
    await world.add(held, [orders(i)])
    held = (await world.end(held)) as typeof held
  }
  await world.add(held, [orders(9)])
  const before = world.state()
  world.log.compact()
  await world.restart()
  expect(world.state()).toEqual({ ...before, lastProducerEpoch: -1 })
})

test('before the log is read nobody is told anything', async () => {
  const world = await World.start()
  const held = await world.producer()
  world.transactions.stop()
  world.transactions = new World().transactions
  const loading = 'COORDINATOR_LOAD_IN_PROGRESS'
  expect(await world.init()).toBe(loading)
  expect(await world.add(held)).toBe(loading)
  expect(await world.end(held)).toBe(loading)
  expect(world.transactions.verify({ id: 'tx', ...held }, [orders()])).toEqual([loading])
  expect(world.transactions.describe('tx')).toBe(loading)
  expect(world.transactions.list().loading).toBe(true)
})

test('a partition that cannot be read takes its own ids out of service, and no others', async () => {
  const world = await World.start()
  await world.producer('tx')
  const broken = [...world.log.partitions.keys()][0]!
  const replay = world.log.replay.bind(world.log)
  world.log.replay = (partition, ...rest) => {
    if (partition === broken) throw new Error('unreadable')
    replay(partition, ...rest)
  }
  world.transactions.stop()
  const { clock, config, log } = world
  world.transactions = new Transactions({
    clock,
    config,
    log,
    version: () => 2,
    newProducerId: async () => 90,
    mark: async () => true,
  })
  await expect(world.transactions.load()).rejects.toThrow('transactions could not be read')
  expect(await world.init('tx')).toBe('COORDINATOR_NOT_AVAILABLE')
  expect(await world.init('another')).toEqual({ producerId: 90, producerEpoch: 0 })
})
