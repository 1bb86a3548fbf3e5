// A wall clock that somebody sets back: what waited for a time of day waited until the clock had come there again.

import { expect, test, vi } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { FakeClock } from '../group/world.ts'
import { batchOf } from '../log/log-environment.ts'

const day = 86_400_000

async function stage(configs: Record<string, string>) {
  const store = new FaultyStore()
  const clock = new FakeClock()
  const broker = new Broker({ store, clock, config: new BrokerConfig(new Map()) })
  const [topic] = await broker.createTopics([{ name: 't', partitions: 1, configs }])
  const partition = topic!.partitions[0]!
  partition.appendOwn(batchOf(['a']))
  return { store, clock, broker, partition }
}

test('a flush that is due after a second comes, though the clock is a day behind', async () => {
  const { clock, broker, partition } = await stage({ 'flush.ms': '1000' })
  clock.jump(-day)
  broker.housekeeping.flushDue()
  await eventually(() => expect(partition.log.flushedOffset).toBe(1))
})

test('a partition that the disk had no room for is tried again, though the clock is a day behind', async () => {
  const { store } = await stage({})
  const left = store.after('kill')
  const clock = new FakeClock()
  const broker = new Broker({ store: left, clock, config: new BrokerConfig(new Map()) })
  const partition = broker.topic('t')!.partitions[0]!
  vi.spyOn(console, 'error').mockImplementation(() => {})
  left.fault = (operation) => (operation === 'read' ? 'EMFILE' : undefined)
  expect(() => partition.log).toThrow('EMFILE')
  left.fault = () => undefined
  clock.jump(-day)
  expect(partition.log.logEndOffset).toBe(1)
})
