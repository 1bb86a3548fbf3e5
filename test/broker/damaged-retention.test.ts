// Retention meets a pack that is damaged: what it counted of it threw an error that nobody expected there, and no topic behind that one
// lost anything any more, at every round.

import { expect, test, vi } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { abortedAmong } from '../../src/log/log-reading.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { FakeClock } from '../group/world.ts'

const open = (store: FaultyStore, clock: FakeClock) => new Broker({ store, clock, config: new BrokerConfig(new Map()) })

async function write(partition: Partition, clock: FakeClock): Promise<void> {
  const timestamp = clock.now()
  for (const key of ['a', 'b'])
    partition.append(encodeBatch({ records: [{ key, value: `${key}.`.repeat(300), timestamp }] }), 9)
  partition.log.roll()
  await partition.flush()
}

/** Retention comes to the second after it has been at the first, whose segments are packed. */
function makeTopics(broker: Broker, packLagMs: string) {
  const old = { 'retention.ms': '100000' }
  return broker.createTopics([
    { name: 'docs', partitions: 1, configs: { ...old, 'revision.diff': 'true', 'revision.pack.lag.ms': packLagMs } },
    { name: 'events', partitions: 1, configs: old },
  ])
}

test('a damaged pack goes with the others, and the topics behind it lose what is old too', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const [clock, store] = [new FakeClock(), new FaultyStore()]
  const broker = open(store, clock)
  const [docs, events] = await makeTopics(broker, '1')
  const { packing } = broker.housekeeping
  for (let i = 0; i < 3; i++) {
    for (const topic of [docs!, events!]) await write(topic.partitions[0]!, clock)
    clock.jump(50_000)
    packing.run()
    await packing.settled()
  }
  const folder = `topics/${docs!.id}/0`
  const left = store.after('kill')
  const pack = left.list(folder).find((name) => name.endsWith('.pack'))
  expect(pack).toBeDefined()
  // The trailer, and so much in front of it that the footer cannot be mended.
  const path = `${folder}/${pack}`
  for (let at = left.sizeOf(path) - 1; at >= 8; at -= 8) left.flip(path, at, 3)
  const after = open(left, clock)
  const partitions = ['docs', 'events'].map((name) => after.topic(name)!.partitions[0]!)
  for (const partition of partitions) expect(partition.logEndOffset).toBe(6)
  clock.jump(20_000)
  after.housekeeping.retain()
  await eventually(() => expect(partitions.map(({ logStartOffset }) => logStartOffset)).toEqual([4, 4]))
  expect(said.mock.calls.join()).toMatch(/cannot be counted/)
})

test('a length of a batch that is below nothing was walked over in circles: the topics behind it had to wait for minutes', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const [clock, store] = [new FakeClock(), new FaultyStore()]
  const broker = open(store, clock)
  const [docs, events] = await makeTopics(broker, '1000000')
  for (const topic of [docs!, events!]) await write(topic.partitions[0]!, clock)
  await broker.close()
  const left = store.after('kill')
  const path = `topics/${docs!.id}/0/${'0'.repeat(20)}.log`
  const lengthAt = left.sizeOf(path) / 2 + 8
  left.flip(path, lengthAt, 7)
  const after = open(left, clock)
  const partitions = ['docs', 'events'].map((name) => after.topic(name)!.partitions[0]!)
  for (const partition of partitions) expect(partition.logEndOffset).toBe(2)
  clock.jump(200_000)
  after.housekeeping.retain()
  await eventually(() => expect(partitions.map(({ logStartOffset }) => logStartOffset)).toEqual([2, 2]))
})

test('whoever reads committed records is given a batch with such a length, and others are served meanwhile', () => {
  const bytes = Buffer.concat([
    encodeBatch({ records: [{ value: 'a' }] }),
    encodeBatch({ records: [{ value: 'b' }], baseOffset: 1 }),
  ])
  bytes.writeInt32BE(-12, bytes.length / 2 + 8)
  const transaction = { producerId: 1, firstOffset: 0, lastOffset: 5, lastStableOffset: 6 }
  expect(abortedAmong([transaction], bytes, 0)).toEqual([transaction])
})
