// A log that is opened while the disk is full, as a start after a kill may find it: what can be read is read, and what cannot be is
// tried again, so that nobody has to start the broker once more. A simulation found both (seed 23).

import { expect, test, vi } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { FakeClock } from '../group/world.ts'
import { batchOf, readAll } from '../log/log-environment.ts'

const writes = ['create', 'stage', 'save', 'share']

/** What a kill has left of a log of several files, without those whose names end so. */
async function leftWithout(ending: RegExp): Promise<FaultyStore> {
  const store = new FaultyStore()
  const broker = new Broker({ store, clock: new FakeClock(), config: new BrokerConfig(new Map()) })
  const configs = { 'internal.segment.bytes': '200' }
  const [topic] = await broker.createTopics([{ name: 't', partitions: 1, configs }])
  for (let i = 0; i < 10; i++) topic!.partitions[0]!.appendOwn(batchOf([`v${i}`.padEnd(60, '.')]))
  const left = store.after('kill')
  const folder = `topics/${topic!.id}/0`
  for (const name of left.list(folder)) if (ending.test(name)) left.remove(`${folder}/${name}`)
  return left
}

function opened(store: FaultyStore): { clock: FakeClock; partition: Partition } {
  const clock = new FakeClock()
  const broker = new Broker({ store, clock, config: new BrokerConfig(new Map()) })
  return { clock, partition: broker.topic('t')!.partitions[0]! }
}

test('an index that a full disk does not take keeps nobody from reading', async () => {
  const store = await leftWithout(/\.index$/)
  const { partition } = opened(store)
  store.fault = (operation) => (writes.includes(operation) ? 'ENOSPC' : undefined)
  expect(readAll(partition.log)).toHaveLength(10)
})

test('a partition that could not be opened for want of room is there again a second after there is some', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const store = await leftWithout(/\.(index|snapshot)$/)
  const { clock, partition } = opened(store)
  store.fault = (operation) => (writes.includes(operation) ? 'ENOSPC' : undefined)
  expect(() => partition.log).toThrow('ENOSPC')
  let looks = 0
  store.fault = (operation) => {
    looks++
    return writes.includes(operation) ? 'ENOSPC' : undefined
  }
  expect(() => partition.log).toThrow('ENOSPC')
  // Not for every request anew: it would scan the log each time.
  expect(looks).toBe(0)
  await clock.pass(1000)
  expect(() => partition.log).toThrow('ENOSPC')
  expect(looks).toBeGreaterThan(0)
  store.fault = () => undefined
  await clock.pass(1000)
  expect(readAll(partition.log)).toHaveLength(10)
  expect(partition.offline).toBeUndefined()
  expect(said).toHaveBeenCalledTimes(1)
  partition.appendOwn(batchOf(['more']))
  expect(readAll(partition.log)).toHaveLength(11)
})

// Each who asked began the second anew: a partition that anybody reads was offline until the broker was started again.
test('a partition that is asked for all the time is there again, too', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const store = await leftWithout(/\.(index|snapshot)$/)
  const { clock, partition } = opened(store)
  store.fault = (operation) => (writes.includes(operation) ? 'ENOSPC' : undefined)
  const ask = () => partition.read(0, 1000, false, true)
  expect(ask()).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  store.fault = () => undefined
  for (let i = 0; i < 9; i++) {
    await clock.pass(100)
    expect(ask()).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  }
  await clock.pass(100)
  expect(ask()).toHaveProperty('highWatermark', 10)
})
