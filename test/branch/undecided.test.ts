// A disk that fails just when a command is about to be decided. The metadata log cannot be flushed when one has become true in it:
// nobody knows whether it is, before the next start. The command was told to be rejected, and the next start had it done (found by a
// simulation, as was the other story).

import { expect, test } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { countWaits, Rooms } from './merge-rooms.ts'

const waits = countWaits()

const turn = () => new Promise((resolve) => setImmediate(resolve))
const id = 'undecided'

async function staged(): Promise<[FaultyStore, Rooms]> {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 1, configs: {} }])
  rooms.write('P', 0, [['k', '0']])
  await rooms.command({ op: 'fork', id: 'f1', from: 'P', to: 'C' })
  await rooms.told('f1', 1)
  rooms.write('C', 0, [['k', 'c']])
  return [store, rooms]
}

test.each([
  [{ op: 'fork', from: 'P', to: 'D' }, 'D', ['0 k=0']],
  [{ op: 'reset', branch: 'C', at: 'latest' }, 'C', ['0 k=0']],
  [{ op: 'promote', branch: 'C', keep: 'before' }, 'P', ['0 k=0', '0 k=c']],
  [{ op: 'abandon', branch: 'C' }, 'C', undefined],
] as const)('%o waits for the next start, which tells what it is', async (command, name, values) => {
  const [store, rooms] = await staged()
  store.fault = (operation, path) => (operation === 'flush' && path.startsWith('metadata') ? 'EIO' : undefined)
  await rooms.command({ ...command, id })
  // Tried again and again, it is no more decided.
  while (waits.count < 2 && rooms.results(id).length === 0) await turn()
  expect(rooms.results(id)).toEqual([])
  await rooms.stop()
  const found = await Rooms.open(store.after('kill'))
  await found.told(id, 1)
  expect(found.results(id)[0]!.status).toBe('done')
  if (values === undefined) expect(found.broker.topic(name)).toBeUndefined()
  else expect(found.seen(name)).toEqual(values)
  await found.stop()
})

// What failed while a snapshot was flushed was caught by nobody, and would have ended the process.
test('a fast-forward whose source cannot be flushed while its snapshot is being flushed waits, and nothing else happens', async () => {
  const [store, rooms] = await staged()
  const topic = rooms.broker.topic('P')!
  await topic.configure({ ...topic.config.overrides(), 'flush.messages': '1' })
  const astray: unknown[] = []
  const hear = (cause: unknown) => astray.push(cause)
  process.on('unhandledRejection', hear)
  try {
    const source = rooms.broker.topic('C')!.folder
    store.slowness = async () => {
      for (let i = 0; i < 20; i++) await turn()
    }
    store.fault = (operation, path) => (operation === 'flush' && path.startsWith(source) ? 'EIO' : undefined)
    await rooms.command({ op: 'merge', id, from: 'C', into: 'P', strategy: 'fast-forward' })
    while (waits.count === 0 && rooms.results(id).length === 0) await turn()
    store.fault = () => undefined
    await rooms.stop()
  } finally {
    process.off('unhandledRejection', hear)
  }
  expect(astray).toEqual([])
  expect(rooms.results(id)).toEqual([])
  const found = await Rooms.open(store.after('kill'))
  await found.told(id, 1)
  expect(found.seen('P')).toEqual(['0 k=0', '0 k=c'])
  await found.stop()
})
