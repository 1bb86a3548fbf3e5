// Gates are a broker's own: what becomes of one broker of a process is nothing to another.

import { expect, test } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'

const open = async () => {
  const broker = new Broker({ store: new MemoryStore(), clock: systemClock, config: new BrokerConfig(new Map()) })
  const [topic] = await broker.createTopics([{ name: 'orders', partitions: 1, configs: {} }])
  return { broker, gate: topic!.partitions[0]!.gate }
}

test('a gate that nobody opens any more is closed for no other broker, and whoever opens it leaves none closed', async () => {
  const [dead, alive] = [await open(), await open()]
  dead.gate.close()
  const reopen = alive.gate.close()
  expect(alive.gate.closed).toBeDefined()
  reopen()
  expect([dead.broker.gates.anyClosed, alive.broker.gates.anyClosed]).toEqual([true, false])
  expect(alive.gate.closed).toBeUndefined()
})
