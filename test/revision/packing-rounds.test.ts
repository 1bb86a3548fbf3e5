// Which partitions a round of the packer looks at: there may be thousands in which nothing has happened, four times a second.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { Branches } from '../../src/command/branches.ts'
import type { Groups } from '../../src/group/coordinator.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import type { Transactions } from '../../src/transaction/coordinator.ts'
import { FakeClock } from '../group/world.ts'

const hour = 3_600_000
const revised = { 'revision.diff': 'true', 'revision.pack.lag.ms': '60000' }

async function world() {
  const clock = new FakeClock()
  const broker = new Broker({ store: new MemoryStore(), clock, config: new BrokerConfig(new Map()) })
  await broker.createTopics([{ name: 'docs', partitions: 2, configs: revised }])
  const partitionOf = (name: string, index = 0) => broker.topic(name)!.partitions[index]!
  const { packing } = broker.housekeeping
  const round = async () => {
    packing.run()
    await packing.settled()
  }
  const write = (name: string, index = 0) =>
    partitionOf(name, index).append(encodeBatch({ records: [{ key: 'k', value: 'v'.repeat(500) }] }), 9)
  const packsOf = (name: string, index = 0) =>
    partitionOf(name, index).log.segments.filter((one) => one.isPacked).length
  return { broker, clock, partitionOf, packing, round, write, packsOf }
}

test('what was closed is packed when its time has come, in partitions that were at rest before', async () => {
  const { broker, clock, partitionOf, round, write, packsOf } = await world()
  await round()
  for (let time = 0; time < 3; time++) {
    write('docs', 1)
    partitionOf('docs', 1).log.roll()
    write('docs', 1)
    await partitionOf('docs', 1).flush()
    await round()
    clock.jump(59_999)
    await round()
    expect(packsOf('docs', 1)).toBe(Math.min(1, time))
    clock.jump(1)
    await round()
    await round()
    expect(packsOf('docs', 1)).toBe(1)
  }
  await broker.close()
})

test('a topic that keeps revisions only later is packed from then on, and other rules count at once', async () => {
  const { broker, clock, partitionOf, round, write, packsOf } = await world()
  await broker.createTopics([{ name: 'plain', partitions: 1, configs: {} }])
  await round()
  for (let i = 0; i < 3; i++) {
    write('plain')
    partitionOf('plain').log.roll()
    await round()
  }
  expect(packsOf('plain')).toBe(0)
  broker.topic('plain')!.configure({ ...revised, 'revision.pack.lag.ms': '0' })
  await round()
  expect(packsOf('plain')).toBe(1)
  write('plain')
  broker.topic('plain')!.configure({ ...revised, 'revision.keep': 'last:1', 'revision.pack.lag.ms': '0' })
  await round()
  const { log } = partitionOf('plain')
  expect(log.read(0, 10_000, log.logEndOffset, true).bytes.length).toBeLessThan(1300)
  clock.jump(hour)
  await round()
  await broker.close()
})

test('branches at rest are not opened for it, but once an hour, and rest again', async () => {
  const { broker, clock, partitionOf, round, write } = await world()
  write('docs')
  partitionOf('docs').log.roll()
  write('docs')
  await partitionOf('docs').flush()
  const branches = new Branches({ broker, groups: {} as Groups, transactions: {} as Transactions })
  const names = Array.from({ length: 20 }, (_, i) => `docs--${i}`)
  for (const to of names) await branches.fork({ by: 'User:test', topics: [{ from: 'docs', to, configs: {} }] })
  clock.jump(60_000)
  await round()
  clock.jump(60_000)
  await round()
  const all = names.flatMap((name) => [partitionOf(name, 0), partitionOf(name, 1)])
  for (const partition of all) {
    await partition.close()
    expect(partition.isOpen).toBe(false)
  }
  let opened = 0
  for (const partition of all) {
    const own = partition.numbering.attach.bind(partition.numbering)
    partition.numbering.attach = (log) => {
      opened++
      own(log)
    }
  }
  for (let i = 0; i < 50; i++) {
    clock.jump(250)
    await round()
  }
  expect(opened).toBe(0)
  clock.jump(hour)
  await round()
  expect(opened).toBe(all.length)
  expect(all.filter(({ isOpen }) => isOpen)).toEqual([])
  await broker.close()
})
