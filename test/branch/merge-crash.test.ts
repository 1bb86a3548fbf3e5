// A broker that is killed at any moment of a merge, at every single operation on its files: afterwards the merge is whole or it is
// not there, it is told once, and the same command adds nothing.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { commandsTopic, jsonTopics } from '../../src/branch/json-topics.ts'
import { eachBatchAtOnce, Fates, noWalk, recordOf, walkBatch } from '../../src/branch/reading.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { BrokerProcess } from './process.ts'

class Rooms extends BrokerProcess {
  static async open(store: FaultyStore): Promise<Rooms> {
    const rooms = new Rooms(store)
    await rooms.load()
    await rooms.branches.begin()
    return rooms
  }

  write(topic: string, partition: number, records: readonly (readonly [string, string | null])[]): void {
    const timestamp = 1000
    const bytes = encodeBatch({ records: records.map(([key, value]) => ({ key, value, timestamp })) })
    this.broker.topic(topic)!.partitions[partition]!.appendOwn(bytes)
  }

  async command(command: object): Promise<void> {
    const made = jsonTopics.find(({ name }) => name === commandsTopic)!
    const topic = this.broker.topic(commandsTopic) ?? (await this.broker.createTopics([made]))[0]!
    topic.partitions[0]!.appendOwn(encodeBatch({ records: [{ timestamp: 1, value: JSON.stringify(command) }] }))
    await topic.partitions[0]!.flush()
  }

  /** Resolves when the history has told so many results of an id. */
  async told(id: string, count: number): Promise<void> {
    while (this.results(id).length < count) await new Promise((resolve) => setImmediate(resolve))
  }

  results(id: string) {
    const isResult = (event: { id: string; type: string }) => event.id === id && !event.type.startsWith('merge-')
    return [...this.branches.history.events()].filter(isResult)
  }

  /** Values that a reader of committed data sees, by key and in order. */
  seen(topic: string): string[] {
    return this.broker.topic(topic)!.partitions.flatMap(({ log, index }) => {
      const found: string[] = []
      const fates = new Fates(log, 0, log.logEndOffset)
      eachBatchAtOnce(log, 0, log.logEndOffset, (bytes, position) => {
        if (fates.of(bytes, position) !== 'committed') return noWalk
        return walkBatch(bytes, position, 0, Number.POSITIVE_INFINITY, (cursor) => {
          const { key, value } = recordOf(bytes, position, cursor)
          found.push(`${index} ${key}=${value}`)
        })
      })
      return found
    })
  }
}

const before = ['0 k=0', '0 both=0', '0 both=p', '1 k=0']
const after = ['0 k=0', '0 both=0', '0 both=p', '0 k=1', '0 json=1', '1 k=0', '1 k=1']
const merge = { op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict: 'park' }

async function staged(): Promise<[FaultyStore, Rooms]> {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 2, configs: { 'cleanup.policy': 'compact' } }])
  rooms.write('P', 0, [
    ['k', '0'],
    ['both', '0'],
  ])
  rooms.write('P', 1, [['k', '0']])
  await rooms.command({ op: 'fork', id: 'f1', from: 'P', to: 'C' })
  await rooms.told('f1', 1)
  rooms.write('C', 0, [
    ['k', '1'],
    ['both', 'c'],
    ['json', '1'],
  ])
  rooms.write('C', 1, [['k', '1']])
  rooms.write('P', 0, [['both', 'p']])
  return [store, rooms]
}

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
