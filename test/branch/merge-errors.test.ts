// What becomes of a merge when something fails around the moment in which it is decided, and nobody is killed: a disk that
// breaks in a flush, and a target that is deleted. Whatever was decided is told, and the next merge goes on.

import { expect, test } from 'vitest'
import { commandsTopic } from '../../src/branch/json-topics.ts'
import { eachBatchAtOnce, recordOf, walkBatch } from '../../src/branch/reading.ts'
import type { Topic } from '../../src/broker/topic.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { after, before, countWaits, merge, Rooms, staged } from './merge-rooms.ts'

const waits = countWaits()

const turn = () => new Promise((resolve) => setImmediate(resolve))

const finals = (rooms: Rooms, id: string) => rooms.results(id).filter((event) => event.replayed !== true)

/** A merge during which the n-th flush fails; undefined where there are fewer. */
async function brokenAt(n: number) {
  const [store, rooms] = await staged()
  // Nothing is promised of a power cut unless somebody asks: then decisions wait for flushes.
  const { broker } = rooms
  const promise = (topic: Topic) => topic.configure({ ...topic.config.overrides(), 'flush.messages': '1' })
  broker.topics().forEach(promise)
  broker.onTopicCreated(promise)
  await Promise.all(broker.topics().flatMap(({ partitions }) => partitions.map((partition) => partition.flush())))
  const commands = broker.topic(commandsTopic)!.folder
  let flushes = 0
  let broken: string | undefined
  store.fault = (operation, path) => {
    const isFlush = (operation === 'flush' || operation === 'sync') && !path.startsWith(commands)
    if (!isFlush || flushes++ !== n) return undefined
    broken = `${n}: ${operation} of ${path}`
    return 'EIO'
  }
  await rooms.command(merge)
  while (waits.count === 0 && finals(rooms, 'm1').length === 0) await turn()
  store.fault = () => undefined
  await rooms.stop()
  return broken === undefined ? undefined : { broken, store }
}

// An append that was refused because its flush failed stands in the log all the same: the transaction log said that the merge
// was committed, the metadata log that it was taken back, and the next start brought its records again, behind what was
// written meanwhile.
test('a merge whose flush fails is whole or not there after the next start, and told as what it is', {
  timeout: 120_000,
}, async () => {
  const broken: string[] = []
  for (let n = 0; ; n++) {
    waits.count = 0
    const run = await brokenAt(n)
    if (run === undefined) break
    broken.push(run.broken)
    const found = await Rooms.open(run.store.after('kill'))
    expect([before, after], run.broken).toContainEqual(found.seen('P'))
    await found.command(merge)
    await found.told('m1', 1)
    await found.command({ op: 'plan', id: 'p1', from: 'C', into: 'P' })
    await found.told('p1', 1)
    expect(found.seen('P'), run.broken).toEqual(after)
    expect(finals(found, 'm1'), run.broken).toHaveLength(1)
    expect(finals(found, 'm1')[0]!.counts, run.broken).toEqual({ written: 3, same: 0, skipped: 0, conflicts: 1 })
    expect(found.results('p1')[0]!.counts, run.broken).toEqual({ written: 0, same: 0, skipped: 0, conflicts: 1 })
    expect(found.broker.lineage.begun.size, run.broken).toBe(0)
    await found.stop()
  }
  expect(broken.length).toBeGreaterThan(8)
  expect(broken.some((each) => each.includes('flush'))).toBe(true)
})

type Left = { operation: string; store: FaultyStore }

/** What a kill leaves before each operation of a merge that writes. */
async function leftByKills(): Promise<Left[]> {
  const [store, rooms] = await staged()
  const left: Left[] = []
  store.fault = (operation, path) => {
    if (operation !== 'read') left.push({ operation: `${operation} of ${path}`, store: store.after('kill') })
    return undefined
  }
  await rooms.command(merge)
  await rooms.told('m1', 1)
  store.fault = () => undefined
  await rooms.stop()
  return left
}

// The start could not note what was committed; the same command found it out and merged once more: told twice, the second time
// with nothing.
test('a merge that a kill interrupted is told once, though the disk is full for a moment when the next start finishes it', {
  timeout: 120_000,
}, async () => {
  const left = await leftByKills()
  expect(left.length).toBeGreaterThan(8)
  const cases = left.flatMap((one) => Array.from({ length: 4 }, (_, n) => ({ ...one, n })))
  await Promise.all(
    cases.map(async ({ operation, store: before, n }) => {
      const disk = before.after('kill')
      let stages = 0
      disk.fault = (what) => (what === 'stage' && stages++ === n ? 'ENOSPC' : undefined)
      const found = await Rooms.open(disk)
      await found.command(merge).catch(() => found.command(merge))
      await found.told('m1', 1)
      disk.fault = () => undefined
      await found.command({ op: 'plan', id: 'p1', from: 'C', into: 'P' })
      await found.told('p1', 1)
      expect(found.seen('P'), operation).toEqual(after)
      expect(finals(found, 'm1'), operation).toHaveLength(1)
      expect(found.broker.lineage.begun.size, operation).toBe(0)
      await found.stop()
    }),
  )
})

// Found by a simulation: any topic that somebody made while a start was finishing what a kill had left began the loop of commands, and
// the command, met once more, finished its merge beside the start.
test('a merge that a kill interrupted is told once, though clients make topics while the next start finishes it', {
  timeout: 120_000,
}, async () => {
  const left = await leftByKills()
  for (const { operation, store: disk } of left) {
    disk.slowness = async () => {
      for (let i = 0; i < 20; i++) await turn()
    }
    const { rooms: found, begun } = await Rooms.opening(disk)
    await Promise.all([begun, found.broker.createTopics([{ name: 'T', partitions: 1, configs: {} }])])
    if (found.results('m1').length === 0) await found.command(merge)
    await found.told('m1', 1)
    await found.command({ op: 'plan', id: 'p1', from: 'C', into: 'P' })
    await found.told('p1', 1)
    expect(found.seen('P'), operation).toEqual(after)
    expect(finals(found, 'm1'), operation).toHaveLength(1)
    await found.stop()
  }
})

/** Two topics with a branch each, of one set. */
async function pairStaged(): Promise<[FaultyStore, Rooms]> {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  const configs = { 'cleanup.policy': 'compact' }
  await rooms.broker.createTopics(['P', 'Q', 'R'].map((name) => ({ name, partitions: 1, configs })))
  await rooms.command({ op: 'fork', id: 'f1', set: 'S', topics: [{ from: 'P' }, { from: 'Q' }] })
  await rooms.told('f1', 1)
  await rooms.command({ op: 'fork', id: 'f2', from: 'R', to: 'T' })
  await rooms.told('f2', 1)
  for (const name of ['P--S', 'Q--S', 'T']) rooms.write(name, 0, [['k', name]])
  return [store, rooms]
}

// The end of a target that was gone could not be told, so what was committed was taken back in words; or its flush failed, for
// ever, and every merge after it waited.
test('a target that is deleted at any operation of a merge holds up neither it nor the next one', {
  timeout: 120_000,
}, async () => {
  let moments = 0
  for (let n = 0; ; n++) {
    const [store, rooms] = await pairStaged()
    let operations = 0
    let deleted: Promise<void> | undefined
    let operation = ''
    store.fault = (what, path) => {
      if (what === 'read' || deleted !== undefined || operations++ !== n) return undefined
      operation = `${n}: ${what} of ${path}`
      deleted = Promise.resolve().then(() => rooms.broker.deleteTopic(rooms.broker.topic('Q')!))
      return undefined
    }
    await rooms.command({ op: 'merge', id: 'm1', set: 'S' })
    while (finals(rooms, 'm1').length === 0 && waits.count === 0) await turn()
    store.fault = () => undefined
    await deleted
    expect(waits.count, operation).toBe(0)
    await rooms.command({ op: 'merge', id: 'm2', from: 'T', into: 'R' })
    await rooms.told('m2', 1)
    expect(finals(rooms, 'm2')[0], operation).toMatchObject({ status: 'committed', counts: { written: 1 } })
    const [told] = finals(rooms, 'm1')
    const isCommitted = told!.status === 'committed'
    expect(rooms.seen('P'), operation).toEqual(isCommitted ? ['0 k=P--S'] : [])
    if (!isCommitted) expect(told, operation).toMatchObject({ status: 'rejected' })
    await rooms.stop()
    const found = await Rooms.open(store.after('kill'))
    expect(found.seen('P'), operation).toEqual(isCommitted ? ['0 k=P--S'] : [])
    expect(finals(found, 'm1'), operation).toHaveLength(1)
    expect(found.broker.lineage.begun.size, operation).toBe(0)
    await found.stop()
    if (deleted === undefined) break
    moments++
  }
  expect(moments).toBeGreaterThan(20)
})

test('conflicts of a topic that is deleted are closed by the next start, where a disk or a kill has prevented it', async () => {
  const [store, rooms] = await staged()
  await rooms.command(merge)
  await rooms.told('m1', 1)
  const { folder } = rooms.broker.topic('__branch_conflicts')!
  expect(openIn(rooms)).toHaveLength(1)
  store.fault = (operation, path) => (operation === 'stage' && path.startsWith(folder) ? 'EIO' : undefined)
  await rooms.broker.deleteTopic(rooms.broker.topic('C')!)
  await turn()
  store.fault = () => undefined
  await rooms.stop()
  const found = await Rooms.open(store.after('kill'))
  expect(openIn(found)).toEqual([])
  await found.stop()
})

/** What `__branch_conflicts` says. */
function openIn({ broker }: Rooms): string[] {
  const open = new Set<string>()
  const { log } = broker.topic('__branch_conflicts')!.partitions[0]!
  eachBatchAtOnce(log, 0, log.logEndOffset, (bytes, position) =>
    walkBatch(bytes, position, 0, Number.POSITIVE_INFINITY, (cursor) => {
      const { key, value } = recordOf(bytes, position, cursor)
      if (value === null) open.delete(String(key))
      else open.add(String(key))
    }),
  )
  return [...open]
}
