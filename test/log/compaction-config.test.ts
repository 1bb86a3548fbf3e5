// When compaction works and what it leaves alone: lags, ratio, retention beside it, times of the broker.

import { beforeEach, describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { checkLog } from '../../src/log/check.ts'
import { Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { borrow } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { readAll, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'
let store: MemoryStore
let log: Log
let config: { -readonly [K in keyof LogConfig]: LogConfig[K] }

beforeEach(() => {
  store = new MemoryStore()
  config = { ...smallConfig, compacts: true, deletes: false, segmentBytes: 100_000 }
  log = new Log(store, folder, config)
})

function put(key: string, value: string | null, time: number, codec: 'none' | 'zstd' = 'none'): void {
  const records = [{ key, value, timestamp: time }]
  const result = log.append(encodeBatch({ records, codec }), { leaderEpoch: 0, now: time })
  if (!('baseOffset' in result)) throw new Error(result.message)
}

async function seal(time = 1e9): Promise<void> {
  log.roll()
  put('last', 'x', time)
  await log.flush()
}

const keys = () =>
  readAll(log, log.logStartOffset, 1000, true)
    .filter(({ key }) => key !== 'last')
    .map(({ offset, key }) => `${offset} ${key}`)

describe('min.compaction.lag.ms', () => {
  test('leaves a segment alone until its youngest record is so old, and all behind it', async () => {
    config.minCompactionLagMs = 500
    put('a', '1', 1000)
    put('a', '2', 2000)
    log.roll()
    put('a', '3', 1000)
    await seal()
    await log.compact(2499)
    expect(keys()).toHaveLength(3)
    await log.compact(2500)
    expect(keys()).toEqual(['2 a'])
  })
})

// Kafka takes the time of their file for them.
test('records without a time are as old as their time in the log: no lag is over for them at once', async () => {
  config.minCompactionLagMs = 500
  for (const value of ['1', '2'])
    log.append(encodeBatch({ records: [{ key: 'a', value }] }), { leaderEpoch: 0, now: 2000 })
  await seal()
  await log.compact(2499)
  expect(keys()).toHaveLength(2)
  config.minCompactionLagMs = 0
  config.minCleanableDirtyRatio = 1.1
  config.maxCompactionLagMs = 600
  await log.compact(2600)
  expect(keys()).toHaveLength(2)
  await log.compact(2601)
  expect(keys()).toEqual(['1 a'])
})

describe('max.compaction.lag.ms', () => {
  test('asks for compaction however little there is to gain', async () => {
    config.minCleanableDirtyRatio = 1
    for (let i = 0; i < 20; i++) put(`k${i}`, 'x'.repeat(100), 1000)
    await seal(5000)
    await log.compact(1000)
    log.roll()
    put('k0', 'y', 5000)
    await seal()
    config.maxCompactionLagMs = 300
    await log.compact(5300)
    expect(keys()[0]).toBe('0 k0')
    await log.compact(5301)
    expect(keys()[0]).toBe('1 k1')
  })
})

describe('min.cleanable.dirty.ratio', () => {
  test('waits until so much of the log is not compacted yet', async () => {
    for (let i = 0; i < 20; i++) put(`k${i}`, 'x'.repeat(100), 1000)
    await seal()
    await log.compact(2000)
    for (let i = 0; i < 12; i++) put(`k${i}`, 'y'.repeat(100), 1000)
    await seal()
    await log.compact(3000)
    expect(keys()).toHaveLength(32)
    for (let i = 12; i < 20; i++) put(`k${i}`, 'y'.repeat(100), 1000)
    await seal()
    await log.compact(4000)
    expect(keys()).toHaveLength(20)
  })
})

describe('compact,delete', () => {
  test('retention takes whole segments, and what is left is compacted', async () => {
    config.deletes = true
    config.retentionMs = 1000
    config.minCleanableDirtyRatio = 0
    put('old', '1', 1000)
    put('kept', '1', 1000)
    log.roll()
    put('a', '1', 3000)
    put('a', '2', 3000)
    await seal()
    await log.compact(3100)
    expect(keys()).toEqual(['0 old', '1 kept', '3 a'])
    expect(log.retain(3500)).toBe(0) // both went into one file, which is as young as its youngest record
    expect(log.retain(4001)).toBe(1)
    expect(keys()).toEqual([])
    expect(checkLog(store, folder).findings).toEqual([])
  })

  test('deleted records stay deleted, and the log goes on', async () => {
    config.deletes = true
    config.minCleanableDirtyRatio = 0
    for (let i = 0; i < 10; i++) put('a', `${i}`, 1000)
    put('b', '1', 1000)
    await seal()
    log.deleteBelow(5)
    await log.compact(2000)
    expect(log.logStartOffset).toBe(5)
    expect(keys()).toEqual(['9 a', '10 b'])
    log = new Log(store, folder, config)
    expect(keys()).toEqual(['9 a', '10 b'])
  })
})

describe('LogAppendTime', () => {
  test.each(['none', 'zstd'] as const)('a batch that loses records keeps the time of the broker: %s', async (codec) => {
    config.logAppendTime = true
    config.minCleanableDirtyRatio = 0
    const records = ['a', 'b', 'a'].map((key, i) => ({ key, value: `${i}`, timestamp: 10 + i }))
    log.append(encodeBatch({ records, codec }), { leaderEpoch: 0, now: 7000 })
    put('c', null, 8000, codec)
    await seal()
    await log.compact(9000)
    expect(keys()).toEqual(['1 b', '2 a', '3 c'])
    const times: number[] = []
    borrow(log.segments[0]!.read(0, log.segments[0]!.length), (bytes) => {
      for (const at of batch.iterateBatches(bytes)) {
        expect(batch.crcMatches(bytes, at)).toBe(true)
        if (batch.isLogAppendTime(bytes, at)) times.push(batch.maxTimestamp(bytes, at))
      }
    })
    expect(times).toEqual([7000, 8000])
    expect(log.offsetAt(7001, 100)).toMatchObject({ offset: 3, timestamp: 8000 })
    expect(checkLog(store, folder).findings).toEqual([])
  })
})

test('a round that is called off changes nothing that was not begun, and another one finishes it', async () => {
  config.minCleanableDirtyRatio = 0
  for (let i = 0; i < 30; i++) put(`k${i % 3}`, `${i}`, 1000)
  await seal()
  let slices = 0
  const turns = { seed: Buffer.alloc(32), rest: async () => {}, isOver: () => ++slices > 1 }
  await log.compact(2000, turns)
  expect(keys()).toHaveLength(30)
  await log.compact(2000)
  expect(keys()).toEqual(['27 k0', '28 k1', '29 k2'])
})

test('the file of a topic that is removed meanwhile does not come back', async () => {
  config.minCleanableDirtyRatio = 0
  for (let i = 0; i < 30; i++) put(`k${i % 3}`, `${i}`, 1000)
  await seal()
  const work = log.compact(2000)
  log.release()
  store.removeFolder(folder)
  await work
  expect(store.list(folder)).toEqual([])
})
