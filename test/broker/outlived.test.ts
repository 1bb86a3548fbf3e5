// What has outlived a kill, where acknowledgements wait for stable storage: it was acknowledged, so it is shown from the first question
// on. While it was flushed once more the log ended in front of it: clients saw its end go back, and a merge or a fork that came at that
// moment left it behind for good. Power cuts in simulations found it (seeds 28 and 57).

import { expect, test } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { FakeClock } from '../group/world.ts'
import { batchOf } from '../log/log-environment.ts'

const open = (store: FaultyStore): Broker =>
  new Broker({ store, clock: new FakeClock(), config: new BrokerConfig(new Map([['flush.policy', 'batch']])) })

test.each(['kill', 'power cut'] as const)('after a %s the end of a log stands where it stood', async (event) => {
  const store = new FaultyStore()
  const [topic] = await open(store).createTopics([{ name: 't', partitions: 1, configs: {} }])
  const before = topic!.partitions[0]!
  for (const value of ['a', 'b', 'c']) before.appendOwn(batchOf([value]))
  expect(before.highWatermark).toBe(0)
  await before.flushed()
  expect(before.highWatermark).toBe(3)

  const left = store.after(event)
  let flushes = 0
  let go = () => {}
  left.slowness = (operation) => {
    if (operation === 'flush') flushes++
    return new Promise<void>((resolve) => {
      go = resolve
    })
  }
  const after = open(left).topic('t')!.partitions[0]!
  expect([after.highWatermark, after.lastStableOffset]).toEqual([3, 3])
  expect(flushes).toBe(1) // of what nobody knows to be flushed, acknowledged or not
  // What comes now waits as ever.
  after.appendOwn(batchOf(['d']))
  expect([after.highWatermark, after.logEndOffset]).toEqual([3, 4])
  go()
})

// A coordinator that had read it said yes to whoever asked again, without writing anything, and the power failed before the flush: a
// transaction was committed without that partition (seed 10214).
test.each(['__transaction_state', '__consumer_offsets', '__share_group_state'])(
  'what a kill has left of %s is on stable storage before a coordinator answers by it',
  async (name) => {
    const store = new FaultyStore()
    const [topic] = await open(store).createTopics([{ name, partitions: 2, configs: {} }])
    topic!.partitions[1]!.appendOwn(batchOf(['a']))
    const left = store.after('kill')
    await open(left).settled()
    const found = open(left.after('power cut', 0, () => false)).topic(name)!
    expect(found.partitions.map(({ logEndOffset }) => logEndOffset)).toEqual([0, 1])
  },
)
