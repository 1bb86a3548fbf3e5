// A fast-forward puts files in the place of others, and what somebody does to the target just then is done to those that go:
// partitions that are added, records that are deleted, topics that are.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { deleteRecordsApi } from '../../src/api/21-delete-records.ts'
import type { Api, Context } from '../../src/api/api.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { Rooms } from './merge-rooms.ts'

/** P is fast-forwarded, and something happens while names of its new files go to the disk. */
async function forwarded(meanwhile: (rooms: Rooms) => void): Promise<{ store: FaultyStore; rooms: Rooms }> {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 1, configs: {} }])
  rooms.write('P', 0, [
    ['a', '1'],
    ['b', '1'],
  ])
  await rooms.branches.fork({ by: 'User:test', topics: [{ from: 'P', to: 'C' }] })
  rooms.write('C', 0, [['c', '1']])
  let isDone = false
  store.fault = (operation, path) => {
    if (operation === 'sync' && path.endsWith('.forward') && !isDone) {
      isDone = true
      meanwhile(rooms)
    }
    return undefined
  }
  await rooms.command({ op: 'merge', id: 'm1', from: 'C', into: 'P', strategy: 'fast-forward' })
  await rooms.told('m1', 1)
  expect(isDone).toBe(true)
  return { store, rooms }
}

test('a partition that is added to the target just then keeps what is written to it', async () => {
  let grown: Promise<void> | undefined
  const { store, rooms } = await forwarded((during) => {
    grown = during.broker.createPartitions(during.broker.topic('P')!, 2)
    during.write('P', 1, [['new', '1']])
  })
  await grown
  const all = ['0 a=1', '0 b=1', '0 c=1', '1 new=1']
  expect(rooms.seen('P')).toEqual(all)
  rooms.write('P', 1, [['newer', '1']])
  await rooms.stop()
  const found = await Rooms.open(store.after('kill'))
  expect(found.seen('P')).toEqual([...all, '1 newer=1'])
  await found.stop()
})

test('records that are deleted from the target just then stay deleted', async () => {
  let deleted: Promise<unknown> | undefined
  const { store, rooms } = await forwarded(({ broker }) => {
    const topics = [{ name: 'P', partitions: [{ partitionIndex: 0, offset: 1 }] }]
    const request = { topics, timeoutMs: 1000 } as unknown as Parameters<Api['handle']>[0]
    deleted = deleteRecordsApi.handle(request, { broker, node: broker.nodeId } as Context) as Promise<unknown>
  })
  expect(await deleted).toMatchObject({ topics: [{ partitions: [{ lowWatermark: 1, errorCode: 0 }] }] })
  const partition = () => rooms.broker.topic('P')!.partitions[0]!
  expect([partition().logStartOffset, partition().logEndOffset]).toEqual([1, 3])
  await rooms.stop()
  const found = await Rooms.open(store.after('kill'))
  expect(found.broker.topic('P')!.partitions[0]!.logStartOffset).toBe(1)
  await found.stop()
})

test.each(['P', 'C'])('%s is deleted just then: the merge is rejected, and nothing is left of it', async (name) => {
  const { store, rooms } = await forwarded(({ broker }) => void broker.deleteTopic(broker.topic(name)!))
  expect(rooms.results('m1')[0]).toMatchObject({
    status: 'rejected',
    error: { code: 'UNKNOWN_TOPIC_OR_PARTITION' },
  })
  expect(store.list('topics').filter((each) => each.includes('.forward'))).toEqual([])
  if (name === 'C') expect(rooms.seen('P')).toEqual(['0 a=1', '0 b=1'])
  await rooms.stop()
})

test('a source that has lost records to compaction takes none from a target that keeps all', async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([
    { name: 'P', partitions: 1, configs: {} },
    { name: 'Q', partitions: 1, configs: { 'cleanup.policy': 'compact' } },
  ])
  const compacted = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }
  for (const from of ['P', 'Q']) {
    await rooms.branches.fork({ by: 'User:test', topics: [{ from, to: `${from}--c`, configs: compacted }] })
    rooms.write(`${from}--c`, 0, [
      ['k', '1'],
      ['k', '2'],
    ])
    await rooms.command({ op: 'merge', id: `${from}1`, from: `${from}--c`, into: from, strategy: 'fast-forward' })
    await rooms.told(`${from}1`, 1)
    const { log } = rooms.broker.topic(`${from}--c`)!.partitions[0]!
    log.roll()
    rooms.write(`${from}--c`, 0, [['l', '1']])
    await log.flush()
    await log.compact(Date.now())
    await rooms.command({ op: 'merge', id: `${from}2`, from: `${from}--c`, into: from, strategy: 'fast-forward' })
    await rooms.told(`${from}2`, 1)
  }
  expect(rooms.results('P2')[0]).toMatchObject({ status: 'conflicts', keys: [{ kind: 'history-lost' }] })
  expect(rooms.seen('P')).toEqual(['0 k=1', '0 k=2'])
  // One that is compacted itself loses what it would have lost anyway.
  expect(rooms.results('Q2')[0]).toMatchObject({ status: 'committed' })
  expect(rooms.seen('Q')).toEqual(['0 k=2', '0 l=1'])
  await rooms.stop()
})

test('a batch that a producer of the target sends again after a power cut is the one that it sent before', async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 1, configs: { 'flush.messages': '1' } }])
  const sent = () =>
    encodeBatch({ records: [{ key: 'k', value: '1', timestamp: 1 }], producerId: 7, producerEpoch: 0, baseSequence: 0 })
  const partitionOf = ({ broker }: Rooms) => broker.topic('P')!.partitions[0]!
  expect(partitionOf(rooms).append(sent(), 9)).toMatchObject({ baseOffset: 0, duplicate: false })
  await partitionOf(rooms).flush()
  await rooms.branches.fork({ by: 'User:test', topics: [{ from: 'P', to: 'C' }] })
  rooms.write('C', 0, [['c', '1']])
  await rooms.broker.topic('C')!.partitions[0]!.flush()
  await rooms.command({ op: 'merge', id: 'm1', from: 'C', into: 'P', strategy: 'fast-forward' })
  await rooms.told('m1', 1)
  const found = await Rooms.open(store.after('power cut'))
  expect(found.seen('P')).toEqual(['0 k=1', '0 c=1'])
  expect(partitionOf(found).append(sent(), 9)).toMatchObject({ baseOffset: 0, duplicate: true })
  await rooms.stop()
  await found.stop()
})
