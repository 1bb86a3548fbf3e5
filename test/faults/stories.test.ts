// What failing disks and flipped bits did before somebody tried them, each with its story.

import { beforeEach, expect, test, vi } from 'vitest'
import { DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { iterateBatches } from '../../protocol/records/batch.ts'
import { forkLog } from '../../src/log/fork.ts'
import { Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { appended, counted, readAll, smallConfig } from '../log/log-environment.ts'

const folder = 'topics/t/0'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  return () => vi.restoreAllMocks()
})

/** A log of several segments that was stopped cleanly: nothing is looked at when it is opened. */
async function stopped(config: Partial<LogConfig> = {}): Promise<FaultyStore> {
  const store = new FaultyStore()
  const log = new Log(store, folder, { ...smallConfig, ...config })
  for (let i = 0; i < 60; i++) appended(log, [`v${i}`, `w${i}`])
  await log.close()
  return store.after('kill')
}

const open = (store: FaultyStore, config: Partial<LogConfig> = {}): Log =>
  new Log(store, folder, { ...smallConfig, ...config })

/** Turns a bit over in the `n`th batch of the first segment, so many bytes behind its start. */
function flip(store: FaultyStore, n: number, behind: number): void {
  const path = `${folder}/${store.list(folder).find((name) => name.endsWith('.log'))}`
  store.flip(path, [...iterateBatches(store.load(path)!)][n]! + behind, 0)
}

const kept = (log: Log, offset: number): number => {
  const { bytes } = log.read(offset, 100_000, log.logEndOffset, true)
  return [...iterateBatches(bytes)].length
}

test('a broker that reads its own records believed them without their checksums: a commit turned into another', async () => {
  const store = await stopped()
  flip(store, 3, 65)
  const log = open(store)
  expect(kept(log, 0)).toBe(3)
  expect(() => log.read(6, 1000, log.logEndOffset, true)).toThrow(DamagedRecords)
  expect(() => log.read(6, 1000, log.logEndOffset, true)).toThrow(
    /00000\.log: the batch at offset 6 fails its checksum/,
  )
  expect(kept(log, 8)).toBeGreaterThan(0)
})

test('a bit in the format of a batch was taken for a mistake of a client, and nobody named the file', async () => {
  const store = await stopped()
  flip(store, 3, 16)
  const log = open(store)
  expect(kept(log, 0)).toBe(3)
  expect(() => log.read(6, 1000, log.logEndOffset, true)).toThrow(/00000\.log: no batch at byte/)
})

test('compaction wrote a damaged batch anew, with a checksum that fits', async () => {
  const compacting = { compacts: true, minCleanableDirtyRatio: 0 }
  const store = await stopped(compacting)
  flip(store, 3, 70)
  const log = open(store, compacting)
  const before = store.load(log.segments[0]!.path)
  await expect(log.compact(1e9)).rejects.toThrow(DamagedRecords)
  expect(store.load(log.segments[0]!.path)).toEqual(before)
})

test('a fork that cuts through a damaged batch wrote its half with a checksum that fits', async () => {
  const store = await stopped()
  flip(store, 3, 65)
  expect(() =>
    forkLog(store, open(store), 'topics/u/0', { offset: 7, leaderEpoch: 1, now: 1, outcomeOf: () => 'ABORT' }),
  ).toThrow(DamagedRecords)
})

test('a reader at an offset whose batch stands at another one was given nothing, for ever', async () => {
  const store = await stopped()
  flip(store, 3, 7)
  const log = open(store)
  // It says 7 instead of 6.
  expect(() => log.serve(6, 1000, log.logEndOffset, true)).toThrow(/there is no batch with offset 6/)
})

test('the flush of a closed segment failed, nobody waited for it, and the log went on as if it had not', async () => {
  const store = new FaultyStore()
  const log = open(store)
  store.fault = (operation) => (operation === 'flush' ? 'EIO' : undefined)
  appended(log, ['v0'])
  log.roll()
  await eventually(() => expect(log.failure).toBeInstanceOf(StorageError))
  store.fault = () => undefined
  expect(() => appended(log, ['v1'])).toThrow(StorageError)
  await expect(log.flush()).rejects.toThrow(StorageError)
  expect(readAll(log)).toEqual(counted(0, 1))
})

test('a folder that could not be synced was synced again, and the second time believed', async () => {
  const store = new FaultyStore()
  const log = open(store)
  appended(log, ['v0'])
  store.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined)
  await expect(log.flush()).rejects.toThrow(StorageError)
  store.fault = () => undefined
  await expect(log.flush()).rejects.toThrow(StorageError)
  expect(log.flushedOffset).toBe(0)
})

test('a checkpoint had no checksum: a bit in a digit was another log start', async () => {
  const store = new FaultyStore()
  const log = open(store)
  for (let i = 0; i < 60; i++) appended(log, [`v${i}`])
  log.deleteBelow(33)
  await log.close()
  const left = store.after('kill')
  const path = `${folder}/checkpoint.recent`
  const at = left.load(path)!.indexOf('"logStartOffset":33') + '"logStartOffset":3'.length
  left.flip(path, at, 2) // 37
  const again = open(left)
  expect(again.logStartOffset).toBeLessThanOrEqual(33)
  expect(readAll(again).slice(-1)).toEqual(counted(59, 60))
})

test('a compacted log whose checkpoint was damaged was opened once, and called damaged at the start after that', async () => {
  const compacting = { compacts: true, minCleanableDirtyRatio: 0 }
  const store = new FaultyStore()
  const log = open(store, compacting)
  for (let i = 0; i < 60; i++) appended(log, [`v${i % 3}`])
  await log.flush()
  await log.compact(1e9)
  expect(log.compactedOffset).toBeGreaterThan(0)
  await log.close()
  const left = store.after('kill')
  for (const name of ['checkpoint', 'checkpoint.recent']) {
    if (left.exists(`${folder}/${name}`)) left.flip(`${folder}/${name}`, 20, 1)
  }
  const first = open(left, compacting)
  const seen = readAll(first)
  await first.close()
  expect(readAll(open(left.after('kill'), compacting))).toEqual(seen)
})

test('what a checkpoint vouches for counted as not flushed after a kill, so that a quiet log was never packed nor compacted', async () => {
  const store = new FaultyStore()
  const log = open(store)
  for (let i = 0; i < 60; i++) appended(log, [`v${i}`])
  await eventually(() => expect(store.exists(`${folder}/checkpoint.recent`)).toBe(true))
  await log.flush()
  log.saveCheckpoint(false)
  appended(log, ['v60'])
  const again = open(store.after('kill'))
  expect(again.flushedOffset).toBe(again.segments.at(-1)!.baseOffset)
  expect(again.packable).toHaveLength(again.segments.length - 1)
})

test('a batch of the metadata log that stood at a later offset hid all that came behind it', async () => {
  const store = await stopped()
  flip(store, 3, 6)
  const log = open(store)
  // It says 262 instead of 6.
  expect(kept(log, 0)).toBe(3)
  expect(() => log.read(6, 1000, log.logEndOffset, true)).toThrow(DamagedRecords)
})

// Whoever opens as many connections as the process may have files made every partition that was just beginning a file refuse its
// producers until the broker was started again.
test('a flush that found no descriptor to open its folder by was taken for one that had failed', async () => {
  const store = new FaultyStore()
  const log = open(store)
  appended(log, ['v0'])
  let refused = 0
  store.fault = (operation) => (operation === 'sync' && refused++ < 3 ? 'EMFILE' : undefined)
  await log.flush()
  expect(refused).toBe(4)
  appended(log, ['v1'])
  await log.flush()
  expect(log.flushedOffset).toBe(2)
  // Its names are on stable storage too.
  expect(readAll(open(store.after('power cut')))).toEqual(counted(0, 2))
})

test('what was known of producers was thrown away by a start that found no descriptor to read it by', async () => {
  const store = new FaultyStore()
  const log = open(store)
  const producer = { id: 7, epoch: 0, sequence: 0 }
  appended(log, ['v0'], { producer })
  log.roll()
  appended(log, ['v1'])
  log.deleteBelow(1)
  await log.close()
  const left = store.after('kill')
  left.fault = (operation, path) => (operation === 'read' && path.endsWith('.snapshot') ? 'EMFILE' : undefined)
  expect(() => open(left)).toThrow('EMFILE')
  left.fault = () => undefined
  expect(appended(open(left), ['v0'], { producer }).duplicate).toBe(true)
})
