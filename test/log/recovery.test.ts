// Starts that went wrong once, each with its story.

import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Partition } from '../../src/broker/partition.ts'
import { BatchRefusal, Log } from '../../src/log/log.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { canMap, MappedStore } from '../../src/storage/mapped-file.ts'
import { append, appended, batchOf, counted, readAll, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'

test('a batch that was refused is not found by the next start of an empty log, at whatever moment the process died', () => {
  // Clients send offset 0, which is what a scan expects first; the refusal came after the bytes lay in the file.
  const store = new FaultyStore()
  const log = new Log(store, folder, { ...smallConfig, timestampBeforeMaxMs: 10 })
  const found: number[] = []
  store.fault = (operation) => {
    if (operation === 'staged') found.push(new Log(store.after('kill', 1000), folder, smallConfig).logEndOffset)
    return undefined
  }
  expect(append(log, ['too old'], { time: 1, now: 1000 })).toBeInstanceOf(BatchRefusal)
  expect(found).toEqual([0])
})

test('a client that writes an offset into its batch does not choose its place', () => {
  const store = new FaultyStore()
  const log = new Log(store, folder, smallConfig)
  appended(log, ['v0'])
  const bytes = batchOf(['forged'])
  bytes.writeBigInt64BE(1n, 0)
  store.fault = (operation) => {
    if (operation === 'staged')
      expect(readAll(new Log(store.after('kill', 1000), folder, smallConfig))).toEqual(counted(0, 1))
    return undefined
  }
  expect(log.append(bytes, { leaderEpoch: 0, now: 1 })).toMatchObject({ error: 'INVALID_RECORD' })
})

test('retention makes room on a disk that is full, where nothing can be written any more', () => {
  const store = new FaultyStore()
  const log = new Log(store, folder, { ...smallConfig, retentionMs: 100 })
  for (let i = 0; i < 100; i++) appended(log, [`v${i}`], { time: i, now: i })
  const before = log.segments.length
  store.fault = (operation) => (['save', 'create', 'stage'].includes(operation) ? 'ENOSPC' : undefined)
  expect(() => log.retain(150)).toThrow(/ENOSPC/) // it says so, but what is old is gone
  expect(log.segments.length).toBeLessThan(before)
  const start = log.logStartOffset
  expect(start).toBeGreaterThan(0)
  expect(readAll(new Log(store.after('kill'), folder, smallConfig))).toEqual(counted(start, 100))
})

test('a roll on a full disk whose checkpoint fails later does not end the process', async () => {
  const store = new FaultyStore()
  const log = new Log(store, folder, smallConfig)
  const unhandled: unknown[] = []
  const note = (cause: unknown) => unhandled.push(cause)
  process.on('unhandledRejection', note)
  for (let i = 0; i < 30; i++) appended(log, [`v${i}`])
  store.fault = (operation, path) => (operation === 'save' && path.includes('checkpoint') ? 'ENOSPC' : undefined)
  await log.flush()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

test('records that a power cut took below a log start do not hide those that are appended afterwards', async () => {
  // DeleteRecords had moved the start to 150; the file ended at 120. The next 30 records were acknowledged and not shown.
  const store = new FaultyStore()
  const log = new Log(store, folder, { ...smallConfig, segmentBytes: 100_000 })
  for (let i = 0; i < 150; i++) {
    appended(log, [`v${i}`])
    if (i === 119) await log.flush()
  }
  log.deleteBelow(150)
  log.saveCheckpoint(true)
  const again = new Log(store.after('power cut'), folder, smallConfig)
  expect([again.logStartOffset, again.logEndOffset]).toEqual([150, 150])
  expect(appended(again, ['v150']).baseOffset).toBe(150)
  expect(readAll(again)).toEqual(counted(150, 151))
})

test('a retry after a kill is acknowledged when the record is durable, not when it is only remembered', async () => {
  const store = new FaultyStore()
  const config = { ...smallConfig, flushMessages: 1, flushMs: Infinity, minInsyncReplicas: 1 }
  const producer = { id: 1, epoch: 0, sequence: 0 }
  const first = new Partition(store, systemClock, folder, 0, config)
  first.append(batchOf(['v0'], { producer }), 9) // and the process dies before the flush
  const killed = store.after('kill')
  const second = new Partition(killed, systemClock, folder, 0, config)
  expect(second.append(batchOf(['v0'], { producer }), 9)).toMatchObject({ baseOffset: 0, duplicate: true })
  await second.flushed()
  expect(readAll(new Log(killed.after('power cut'), folder, smallConfig))).toEqual(counted(0, 1))
  expect(second.highWatermark).toBe(1)
})

test('a log that was let go writes nothing any more, so that the folder of a deleted topic stays away', async () => {
  const store = new FaultyStore()
  const log = new Log(store, folder, smallConfig)
  for (let i = 0; i < 100; i++) appended(log, [`v${i}`])
  log.release() // a flush is under way, and a checkpoint would follow it
  store.removeFolder('topics/t')
  await new Promise((resolve) => setImmediate(resolve))
  expect(store.list('topics')).toEqual([])
})

describe.skipIf(!canMap())('a mapped log', () => {
  test('gives back what was allocated ahead for a segment that was rolled just before a kill', () => {
    const root = mkdtempSync(join(tmpdir(), 'twiglog-recovery-'))
    try {
      const config = { ...smallConfig, segmentBytes: 100_000 }
      const log = new Log(new MappedStore(root), folder, config)
      for (let i = 0; i < 3; i++) appended(log, [`v${i}`])
      const path = join(root, log.segments[0]!.path)
      log.roll()
      appended(log, ['v3'])
      const { length } = log.segments[0]!
      log.release()
      truncateSync(path, 80_000) // as the kill left it, before the flush that seals it
      const again = new Log(new MappedStore(root), folder, config)
      expect(statSync(path).size).toBe(length)
      expect(existsSync(path.replace('.log', '.index'))).toBe(true)
      expect(readAll(again)).toEqual(counted(0, 4))
      again.release()
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
})
