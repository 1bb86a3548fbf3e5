// What a broker remembers of branches that are gone.

import { expect, test } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { Branches } from '../../src/command/branches.ts'
import type { Groups } from '../../src/group/coordinator.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import type { Transactions } from '../../src/transaction/coordinator.ts'
import { eventually } from '../eventually.ts'
import { FakeClock } from '../group/world.ts'

// A soak found it: of every deletion that no command asked for, a record stayed until the next start.
test('a deletion is remembered until the history tells of it, whoever asked for it', async () => {
  const broker = new Broker({ store: new MemoryStore(), clock: new FakeClock(), config: new BrokerConfig(new Map()) })
  await broker.createTopics([{ name: 'a', partitions: 1, configs: {} }])
  const branches = new Branches({ broker, groups: {} as Groups, transactions: {} as Transactions })
  const deletions = () => broker.lineage.tellable.filter(({ type }) => type === 'branches-deleted')
  for (const name of ['a--1', 'a--2', 'a--3']) {
    await branches.fork({ by: 'User:test', topics: [{ from: 'a', to: name, configs: {} }] })
    await branches.deleteTopic(broker.topic(name)!, 'User:test')
  }
  await eventually(() => expect(deletions()).toEqual([]))
  expect([...branches.history.events()].map(({ type }) => type)).toEqual(Array(3).fill(['fork', 'delete']).flat())
})
