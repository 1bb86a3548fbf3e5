// A broker that is killed at any moment of a merge, at every single operation on its files: afterwards the merge is whole or it is
// not there, it is told once, and the same command adds nothing.

import { expect, test } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { after, before, merge, Rooms, staged } from './merge-rooms.ts'

test('B36: killed at every operation of a merge: all or nothing, told once, and the command again adds nothing', {
  timeout: 240_000,
}, async () => {
  const [store, rooms] = await staged()
  const moments: { operation: string; left: FaultyStore }[] = []
  store.fault = (operation, path) => {
    if (operation !== 'read')
      moments.push({ operation: `${moments.length}: ${operation} of ${path}`, left: store.after('kill') })
    return undefined
  }
  await rooms.command(merge)
  await rooms.told('m1', 1)
  store.fault = () => undefined
  await rooms.stop()
  expect(rooms.seen('P')).toEqual(after)
  expect(moments.length).toBeGreaterThan(30)
  for (const { operation, left } of moments) {
    const found = await Rooms.open(left)
    // Whatever the loop does anew takes a turn of the event loop at least.
    expect([before, after], operation).toContainEqual(found.seen('P'))
    await found.command(merge)
    await found.told('m1', 1)
    await found.command({ op: 'plan', id: 'p1', from: 'C', into: 'P' })
    await found.told('p1', 1)
    expect(found.seen('P'), operation).toEqual(after)
    const results = found.results('m1')
    expect(
      results.filter((event) => event.replayed !== true),
      operation,
    ).toHaveLength(1)
    expect(results[0], operation).toMatchObject({ type: 'merge', status: 'parked' })
    // What was parked is open once, and nothing else is left to merge.
    expect(found.results('p1')[0]!.counts, operation).toEqual({ written: 0, same: 0, skipped: 0, conflicts: 1 })
    expect(found.broker.lineage.begun.size).toBe(0)
    await found.stop()
  }
})

test('B36: the same of a fast-forward', { timeout: 240_000 }, async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 2, configs: {} }])
  rooms.write('P', 0, [['p', '0']])
  await rooms.command({ op: 'fork', id: 'f1', from: 'P', to: 'C' })
  await rooms.told('f1', 1)
  rooms.write('C', 0, [['c', '0']])
  rooms.write('C', 1, [['c', '1']])
  const moments: { operation: string; left: FaultyStore }[] = []
  store.fault = (operation, path) => {
    if (operation !== 'read')
      moments.push({ operation: `${moments.length}: ${operation} of ${path}`, left: store.after('kill') })
    return undefined
  }
  const forward = { op: 'merge', id: 'm1', from: 'C', into: 'P', strategy: 'fast-forward' }
  await rooms.command(forward)
  await rooms.told('m1', 1)
  store.fault = () => undefined
  await rooms.stop()
  const whole = ['0 p=0', '0 c=0', '1 c=1']
  expect(rooms.seen('P')).toEqual(whole)
  for (const { operation, left } of moments) {
    const found = await Rooms.open(left)
    expect([['0 p=0'], whole], operation).toContainEqual(found.seen('P'))
    await found.command(forward)
    await found.told('m1', 1)
    expect(found.seen('P'), operation).toEqual(whole)
    expect(
      found.results('m1').filter((event) => event.replayed !== true),
      operation,
    ).toHaveLength(1)
    // Nothing is left of what was put together and did not take its place.
    expect(
      left.list('topics').filter((name) => name.includes('.')),
      operation,
    ).toEqual([])
    found.write('P', 0, [['p', '1']])
    expect(found.seen('P'), operation).toEqual(['0 p=0', '0 c=0', '0 p=1', '1 c=1'])
    await found.stop()
  }
})

test.each([
  [
    { op: 'resolve', id: 'r1', merge: 'm1', topic: 'P', partition: 0, key: 'both', take: 'theirs' },
    [...after, '0 both=c'],
    0,
  ],
  [{ op: 'revert', id: 'v1', merge: 'm1' }, [...after, '0 k=0', '0 json=null', '1 k=0'], 1],
])('B36: the same of %j', { timeout: 240_000 }, async (command, whole, openAfter) => {
  const [store, rooms] = await staged()
  await rooms.command(merge)
  await rooms.told('m1', 1)
  const moments: { operation: string; left: FaultyStore }[] = []
  store.fault = (operation, path) => {
    if (operation !== 'read')
      moments.push({ operation: `${moments.length}: ${operation} of ${path}`, left: store.after('kill') })
    return undefined
  }
  await rooms.command(command)
  await rooms.told(command.id, 1)
  store.fault = () => undefined
  await rooms.stop()
  expect(rooms.seen('P').sort()).toEqual([...whole].sort())
  for (const { operation, left } of moments) {
    const found = await Rooms.open(left)
    expect([[...after].sort(), [...whole].sort()], operation).toContainEqual(found.seen('P').sort())
    await found.command(command)
    await found.told(command.id, 1)
    await found.command({ op: 'plan', id: 'p1', from: 'C', into: 'P' })
    await found.told('p1', 1)
    expect(found.seen('P').sort(), operation).toEqual([...whole].sort())
    expect(
      found.results(command.id).filter((event) => event.replayed !== true),
      operation,
    ).toHaveLength(1)
    expect(found.results('p1')[0]!.counts!.conflicts, operation).toBe(openAfter)
    await found.stop()
  }
})

/** The same numbers for the same seed. */
function luckOf(seed: number): () => boolean {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state > 2 ** 31
  }
}

test('a power cut at any operation of a merge: sent again, merges leave what they always leave', {
  timeout: 240_000,
}, async () => {
  const [store, rooms] = await staged()
  for (const topic of rooms.broker.topics()) for (const partition of topic.partitions) await partition.flush()
  const moments: { operation: string; left: FaultyStore }[] = []
  store.fault = (operation, path) => {
    if (operation === 'read') return undefined
    const { length } = moments
    moments.push({ operation: `${length}: ${operation} of ${path}`, left: store.after('power cut', 0, luckOf(length)) })
    return undefined
  }
  await rooms.command(merge)
  await rooms.told('m1', 1)
  store.fault = () => undefined
  await rooms.stop()
  const newest = (seen: readonly string[]) => Object.fromEntries(seen.map((one) => one.split('=')))
  for (const { operation, left } of moments) {
    const found = await Rooms.open(left)
    await found.command(merge)
    await found.told('m1', 1)
    // What was lost of one that counts is brought by the next.
    await found.command({ ...merge, id: 'm2' })
    await found.told('m2', 1)
    expect(newest(found.seen('P')), operation).toEqual(newest(after))
    await found.command({ op: 'plan', id: 'p1', from: 'C', into: 'P' })
    await found.told('p1', 1)
    expect(found.results('p1')[0]!.counts, operation).toMatchObject({ written: 0, conflicts: 1 })
    await found.stop()
  }
})
