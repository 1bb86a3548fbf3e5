// B17: commits of groups are there before the branch is: whoever finds it in Metadata goes on where it stands.

import { expect, test } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { whileOn } from './held-disk.ts'
import { Rooms } from './merge-rooms.ts'
import { numbered, Stage } from './stage.ts'

test('B17: while a fork waits for the disk its commits are told, and it is not listed', async () => {
  const store = new FaultyStore()
  await using stage = await Stage.open({ storage: store })
  await stage.create('orders')
  await stage.send('orders', numbered(5))
  await stage.commit('g', 'orders', 3)
  const isMetadata = (path: string, operation: string) => operation === 'flush' && path.startsWith('metadata/')
  const { reached, goOn } = whileOn(store, isMetadata)
  // A connection is answered in order.
  const other = stage.kafka.admin()
  await other.connect()
  const listed = async () => (await other.listTopics()).filter((name) => name.startsWith('orders')).sort()
  const forked = stage.fork('orders', 'orders--try', { 'branch.groups': 'copy' })
  await reached
  // Nobody has seen the branch, and its record is written.
  expect(await listed()).toEqual(['orders'])
  const committed = async () =>
    (await other.fetchOffsets({ groupId: 'g' })).find(({ topic }) => topic === 'orders--try')
  expect(await committed()).toMatchObject({ partitions: [{ partition: 0, offset: '3' }] })
  goOn()
  await forked
  expect(await listed()).toEqual(['orders', 'orders--try'])
  expect(await committed()).toMatchObject({ partitions: [{ partition: 0, offset: '3' }] })
  await other.disconnect()
})

test('B17: a branch that is reset comes back when its commits are there', async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  const { broker, groups } = rooms
  await broker.createTopics([{ name: 'P', partitions: 1, configs: {} }])
  rooms.write('P', 0, [['k', '0']])
  const at = { topic: 'P', topicId: broker.topic('P')!.id, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }
  await groups.offsets.plant('g', [at])
  await rooms.command({ op: 'fork', id: 'f', from: 'P', to: 'C', groups: 'copy' })
  await rooms.told('f', 1)
  const folder = `${broker.topic('__consumer_offsets')!.folder}/`
  const listed: boolean[] = []
  store.fault = (operation, path) => {
    if (operation === 'stage' && path.startsWith(folder)) listed.push(broker.topic('C') !== undefined)
    return undefined
  }
  await rooms.command({ op: 'reset', id: 'r', branch: 'C' })
  await rooms.told('r', 1)
  // The commits of the branch as it was go, and those of the branch as it is now come, while there is none.
  expect(listed.length).toBeGreaterThan(0)
  expect(new Set(listed)).toEqual(new Set([false]))
  const wanted = [{ topic: 'C', partition: 0, topicId: broker.topic('C')!.id }]
  expect(groups.offsets.fetch({ groupId: 'g', wanted, requireStable: false })).toMatchObject([
    { committed: { offset: 1 } },
  ])
  await rooms.stop()
})
