// A file that cannot be removed: the log began in front of the first one that it still had, and a reader from its start was told that
// its records are damaged, until somebody deleted more.

import { expect, test } from 'vitest'
import { Log } from '../../src/log/log.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { append, counted, readAll, smallConfig } from './log-environment.ts'

test('a log begins where records were deleted, though their files stay', async () => {
  const store = new FaultyStore()
  const log = new Log(store, 'topics/t/0', smallConfig)
  for (let i = 0; i < 120; i++) append(log, [`v${i}`])
  await log.flush()
  const [, second, third] = log.segments
  store.fault = (operation) => (operation === 'remove' ? 'EIO' : undefined)
  expect(() => log.deleteBelow(third!.baseOffset)).toThrow('EIO')
  expect(readAll(log)).toEqual(counted(log.logStartOffset, 120))
  expect(log.logStartOffset).toBe(third!.baseOffset)
  store.fault = () => undefined
  log.deleteBelow(third!.baseOffset + 1)
  expect(log.segments).not.toContain(second)
  const after = new Log(store.after('kill'), 'topics/t/0', smallConfig)
  expect(readAll(after)).toEqual(counted(third!.baseOffset + 1, 120))
})

const folder = 'topics/t/0'
const producer = { id: 7, epoch: 0, sequence: 0 }

/** Of one file, on a disk that has no room as long as this file is there. */
async function filled() {
  const store = new FaultyStore()
  const log = new Log(store, folder, { ...smallConfig, segmentBytes: 1 << 20, retentionMs: 100 })
  append(log, ['v0'], { producer })
  for (let i = 1; i < 50; i++) append(log, [`v${i}`], { now: 1 })
  await log.flush()
  const { path } = log.segments[0]!
  store.fault = (operation) =>
    store.exists(path) && (operation === 'save' || operation === 'stage') ? 'ENOSPC' : undefined
  const gone = () => eventually(() => expect(store.exists(path)).toBe(false))
  const left = (event: 'kill' | 'power cut') => new Log(store.after(event), folder, smallConfig)
  return { log, gone, left }
}

// Only the whole topic could be deleted then: a log of one file had no room to note that all of it was to go.
test('retention takes the only file of a log on a disk that is full', async () => {
  const { log, gone, left } = await filled()
  expect(() => log.retain(10_000)).toThrow('ENOSPC') // it says so
  await gone()
  expect(left('power cut').logEndOffset).toBe(50)
  const again = left('kill')
  expect(again.logStartOffset).toBe(50)
  expect(append(again, ['v0'], { producer })).toMatchObject({ duplicate: true, baseOffset: 0 })
  append(log, ['v50'])
  expect(readAll(log)).toEqual([[50, 'v50']])
})

test('records that somebody deletes make room, though they fill the only file of a log', async () => {
  const { log, gone, left } = await filled()
  expect(() => log.deleteBelow(50)).toThrow('ENOSPC')
  await gone()
  log.deleteBelow(50)
  expect(left('kill').logStartOffset).toBe(50)
  append(log, ['v50'])
  expect(readAll(log)).toEqual([[50, 'v50']])
})

test('a deletion that could not be noted is noted when it is asked for again', () => {
  const store = new FaultyStore()
  const log = new Log(store, folder, smallConfig)
  for (let i = 0; i < 10; i++) append(log, [`v${i}`])
  store.fault = (operation) => (operation === 'save' ? 'ENOSPC' : undefined)
  expect(() => log.deleteBelow(5)).toThrow('ENOSPC')
  store.fault = () => undefined
  log.deleteBelow(5)
  expect(new Log(store.after('kill'), folder, smallConfig).logStartOffset).toBe(5)
})

test('a large file goes when all that is in it is deleted', async () => {
  const store = new FaultyStore()
  const log = new Log(store, folder, { ...smallConfig, segmentBytes: 1 << 24 })
  append(log, ['x'.repeat(450_000)])
  append(log, ['x'.repeat(450_000)])
  log.deleteBelow(1)
  expect(log.byteCount).toBeGreaterThan(1_800_000)
  log.deleteBelow(2)
  await eventually(() => expect(log.byteCount).toBe(0))
  append(log, ['v2'])
  await log.close()
  expect(readAll(new Log(store.after('kill'), folder, smallConfig))).toEqual([[2, 'v2']])
})
