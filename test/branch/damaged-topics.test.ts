// Commands about a topic that cannot be read: each is told so, and those behind it are carried out.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { merge, Rooms, staged } from './merge-rooms.ts'

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

test('what a kill has left of a merge whose target is damaged keeps no other merge waiting', {
  timeout: 240_000,
}, async () => {
  const [store, rooms] = await staged()
  await rooms.broker.createTopics([{ name: 'Q', partitions: 1, configs: { 'cleanup.policy': 'compact' } }])
  await rooms.branches.fork({ by: 'User:test', topics: [{ from: 'Q', to: 'D' }] })
  rooms.write('D', 0, [['k', '1']])
  const { folder } = rooms.broker.topic('P')!.partitions[0]!.log
  const moments: { operation: string; left: FaultyStore }[] = []
  store.fault = (operation, path) => {
    if (operation !== 'read') moments.push({ operation: `${operation} of ${path}`, left: store.after('kill') })
    return undefined
  }
  await rooms.command(merge)
  await rooms.told('m1', 1)
  store.fault = () => undefined
  await rooms.stop()
  const told = new Set<string>()
  for (const [i, { operation, left }] of moments.entries()) {
    left.flip(`${folder}/${left.list(folder).find((name) => name.endsWith('.log'))}`, 70, 3)
    const found = await Rooms.open(left)
    await found.command(merge)
    await found.command({ op: 'merge', id: 'm2', from: 'D', into: 'Q' })
    await found.told('m2', 1)
    const where = `${i}: ${operation}`
    expect(found.results('m2')[0], where).toMatchObject({ status: 'committed', counts: { written: 1 } })
    expect(found.broker.lineage.begun.size, where).toBe(0)
    told.add(found.results('m1')[0]!.status)
    // What is healthy of the target has all of the merge, or nothing.
    const isThere = found.broker.topic('P')!.partitions[1]!.log.logEndOffset > 1
    if (found.results('m1')[0]!.status === 'parked') expect(isThere, where).toBe(true)
    await found.stop()
  }
  expect(told).toEqual(new Set(['rejected', 'parked']))
})
