// Commands about a topic that cannot be read: each is told so, and those behind it are carried out.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { Rooms } from './merge-rooms.ts'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

/** P, its branch C, and a merge `m1` of C into P, of which something is damaged in P. */
async function damaged(): Promise<Rooms> {
  const rooms = await Rooms.open(new FaultyStore())
  const store = rooms.broker.store as FaultyStore
  await rooms.broker.createTopics([
    { name: 'P', partitions: 1, configs: { 'cleanup.policy': 'compact' } },
    { name: 'sound', partitions: 1, configs: {} },
  ])
  rooms.write('P', 0, [
    ['k', '1'],
    ['both', '1'],
  ])
  await rooms.branches.fork({ by: 'User:test', topics: [{ from: 'P', to: 'C' }] })
  rooms.write('C', 0, [
    ['k', '2'],
    ['both', 'c'],
  ])
  rooms.write('P', 0, [['both', 'p']])
  await rooms.command({ op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict: 'park' })
  await rooms.told('m1', 1)
  const { folder } = rooms.broker.topic('P')!.partitions[0]!.log
  await rooms.stop()
  const left = store.after('kill')
  left.flip(`${folder}/${left.list(folder).find((name) => name.endsWith('.log'))}`, 70, 3)
  return Rooms.open(left)
}

test.each([
  { op: 'merge', from: 'C', into: 'P', strategy: 'fast-forward' },
  { op: 'plan', from: 'C', into: 'P', strategy: 'fast-forward' },
  { op: 'merge', from: 'C', into: 'P' },
  { op: 'revert', topic: 'P', merge: 'm1' },
  { op: 'resolve', merge: 'm1', topic: 'P', partition: 0, key: 'both', take: 'theirs' },
  { op: 'promote', branch: 'C' },
  { op: 'reset', branch: 'C' },
  { op: 'fork', from: 'P', to: 'D' },
])('%j', { timeout: 20_000 }, async (command) => {
  const rooms = await damaged()
  await rooms.command({ ...command, id: 'x1' })
  await rooms.command({ op: 'fork', id: 'f1', from: 'sound', to: 'next' })
  await rooms.told('f1', 1)
  expect(rooms.results('x1')[0]).toMatchObject({ status: 'rejected', error: { code: 'KAFKA_STORAGE_ERROR' } })
  await rooms.stop()
})
