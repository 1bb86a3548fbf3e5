// Where groups stand on a branch that is reset: as they stood, or as the reset says, whatever fails in between.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { Rooms } from './merge-rooms.ts'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

const turn = () => new Promise((resolve) => setImmediate(resolve))
const reset = { op: 'reset', id: 's1', branch: 'C' }

/** A group stands at 1 in the parent and at 2 in the branch, whose groups are copied. */
async function staged(): Promise<{ store: FaultyStore; rooms: Rooms; id: string }> {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 1, configs: {} }])
  rooms.write('P', 0, [['a', '1']])
  await rooms.branches.fork({ by: 'User:test', topics: [{ from: 'P', to: 'C', groups: 'copy' }] })
  rooms.write('C', 0, [['b', '1']])
  for (const [offset, topic] of ['P', 'C'].entries()) {
    const commit = { partition: 0, offset: offset + 1, leaderEpoch: -1, metadata: '' }
    await rooms.groups.offsets.plant('g', [{ topic, topicId: rooms.broker.topic(topic)!.id, ...commit }])
  }
  return { store, rooms, id: rooms.broker.topic('C')!.id }
}

function positionOn({ broker, groups }: Rooms): number | undefined {
  const topic = broker.topic('C')!
  return [...groups.offsets.ofTopic('C', topic.id)][0]?.committed.offset
}

test('a kill at any operation of a reset: the next start puts groups where the reset wants them', async () => {
  for (let n = 0; ; n++) {
    const { store, rooms } = await staged()
    await rooms.command(reset)
    let count = 0
    let left: FaultyStore | undefined
    store.fault = (operation) => {
      if (operation !== 'read' && count++ === n) left = store.after('kill')
      return undefined
    }
    await rooms.told('s1', 1)
    store.fault = () => undefined
    await rooms.stop()
    if (left === undefined) {
      expect(n).toBeGreaterThan(5)
      return
    }
    const found = await Rooms.open(left)
    await found.told('s1', 1)
    expect(positionOn(found), `operation ${n}`).toBe(1)
    await found.stop()
  }
})

test('a disk that refuses any operation of a reset: groups stand where they stood, or where the reset wants them', async () => {
  for (let n = 0; ; n++) {
    const { store, rooms, id } = await staged()
    await rooms.command(reset)
    let count = 0
    let refused: string | undefined
    store.fault = (operation, path) => {
      if (operation === 'read' || count++ !== n) return undefined
      refused = `${n}: ${operation} ${path}`
      return 'EIO'
    }
    for (let turns = 0; turns < 200 && rooms.results('s1').length === 0; turns++) await turn()
    store.fault = () => undefined
    // Behind the commit point the name stays taken, and the next start decides.
    if (rooms.broker.topic('C')?.id === id) expect(positionOn(rooms), refused).toBe(2)
    await rooms.stop()
    const found = await Rooms.open(store.after('kill'))
    await found.told('s1', 1)
    const isReset = found.broker.topic('C')!.id !== id
    expect(positionOn(found), refused).toBe(isReset ? 1 : 2)
    await found.stop()
    if (refused === undefined) return
  }
})
