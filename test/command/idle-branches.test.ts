// How long a branch outlives its last use, on a clock that moves when it is told to.

import { expect, test } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { Branches } from '../../src/command/branches.ts'
import { IdleBranches } from '../../src/command/idle-branches.ts'
import type { Groups } from '../../src/group/coordinator.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import type { Transactions } from '../../src/transaction/coordinator.ts'
import { FakeClock } from '../group/world.ts'

const minute = 60_000

async function world() {
  const clock = new FakeClock()
  const broker = new Broker({ store: new MemoryStore(), clock, config: new BrokerConfig(new Map()) })
  await broker.createTopics(['a', 'b'].map((name) => ({ name, partitions: 1, configs: {} })))
  const branches = new Branches({ broker, groups: {} as Groups, transactions: {} as Transactions })
  const idle = new IdleBranches(broker)
  const fork = async (from: string, to: string, ttlMs: number, set?: string) => {
    const configs = { 'branch.ttl.ms': String(ttlMs) }
    await branches.fork({ by: 'User:test', ...(set === undefined ? {} : { set }), topics: [{ from, to, configs }] })
  }
  const use = (name: string) => broker.topic(name)!.partitions[0]!.read(0, 1, false, true)
  const expired = () => idle.expired().map(({ name }) => name)
  return { broker, clock, fork, use, expired }
}

test('a branch goes when nobody has used it for as long as it says, counted from its last use', async () => {
  const { clock, fork, use, expired } = await world()
  await fork('a', 'a--short', minute)
  await fork('a', 'a--long', 60 * minute)
  await fork('a', 'a--ever', -1)
  expect(expired()).toEqual([])
  clock.jump(50_000)
  use('a--short')
  expect(expired()).toEqual([])
  clock.jump(minute)
  expect(expired()).toEqual([])
  clock.jump(1)
  expect(expired()).toEqual(['a--short'])
})

test('members of a set live as long as any of them is used', async () => {
  const { clock, fork, use, expired } = await world()
  await fork('a', 'a--s', minute, 's')
  await fork('b', 'b--s', minute, 's')
  for (let turn = 0; turn < 5; turn++) {
    use('b--s')
    expect(expired()).toEqual([])
    clock.jump(40_000)
  }
  expect(expired()).toEqual([])
  clock.jump(minute + 1)
  expect(expired()).toEqual(['a--s', 'b--s'])
})

test('whoever is told later how long to live lives that long from then on, and others are not looked at', async () => {
  const { broker, clock, fork, expired } = await world()
  await fork('a', 'a--late', -1)
  await fork('a', 'a--ever', -1)
  expect(expired()).toEqual([])
  clock.jump(60 * minute)
  const late = broker.topic('a--late')!
  await broker.configureTopic(late, { 'branch.ttl.ms': String(minute) })
  expect([...broker.mortal]).toEqual([late])
  expect(expired()).toEqual([])
  clock.jump(minute + 1)
  expect(expired()).toEqual(['a--late'])
  await broker.configureTopic(late, {})
  expect(expired()).toEqual([])
  await broker.configureTopic(late, { 'branch.ttl.ms': '0' })
  await broker.deleteTopic(late)
  expect([...broker.mortal]).toEqual([])
})

test('who reads a view of a branch uses the branch', async () => {
  const { broker, clock, fork, expired } = await world()
  await fork('a', 'a--s', minute)
  await broker.createTopics([{ name: 'seen', partitions: 1, configs: { 'view.of': 'a--s', 'view.kind': 'state' } }])
  for (let turn = 0; turn < 3; turn++) {
    broker.topic('seen')!.partitions[0]!.read(0, 1, true, true)
    expect(expired()).toEqual([])
    clock.jump(40_000)
  }
  clock.jump(minute)
  expect(expired()).toEqual(['a--s'])
})
