// A keep rule may leave nothing of a pack. A topic that is forked then shares the empty pack, and `check` called that damage (found by a
// simulation).

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { checkStore } from '../../src/cli/check.ts'
import { Branches } from '../../src/command/branches.ts'
import type { Groups } from '../../src/group/coordinator.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import type { Transactions } from '../../src/transaction/coordinator.ts'
import { FakeClock } from '../group/world.ts'

test('a fork of a topic of which a keep rule has emptied packs is sound', async () => {
  const [clock, store] = [new FakeClock(), new MemoryStore()]
  const broker = new Broker({ store, clock, config: new BrokerConfig(new Map()) })
  const configs = { 'revision.diff': 'true', 'revision.keep': 'last:1', 'revision.pack.lag.ms': '1' }
  const [docs] = await broker.createTopics([{ name: 'docs', partitions: 1, configs }])
  const branches = new Branches({ broker, groups: {} as Groups, transactions: {} as Transactions })
  const partition = docs!.partitions[0]!
  const { packing } = broker.housekeeping
  let emptied = 0
  for (let i = 0; i < 12; i++) {
    await partition.append(encodeBatch({ records: [{ key: 'k', value: `${i}`.repeat(500) }] }), 9)
    partition.log.roll()
    await partition.flush()
    clock.jump(1000)
    packing.run()
    await packing.settled()
    await branches.fork({ by: 'User:test', topics: [{ from: 'docs', to: `docs--${i}`, configs: {} }] })
    emptied += partition.log.segments.filter(({ isPacked, length }) => isPacked && length === 0).length
    expect(checkStore(store).findings.filter(({ kind }) => kind === 'damage')).toEqual([])
  }
  expect(emptied).toBeGreaterThan(0)
  await broker.close()
})
