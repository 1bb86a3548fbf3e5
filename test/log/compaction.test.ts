// Compaction: the newest record of every key stays, at its offset; what is newer or young is left alone.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { CodecName } from '../../protocol/records/compression.ts'
import { Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { type Place, places } from '../storage/stores.ts'
import { readAll, smallConfig } from './log-environment.ts'

const config: LogConfig = { ...smallConfig, compacts: true, deletes: false, deleteRetentionMs: 1000 }

function put(
  log: Log,
  records: [key: string, value: string | null][],
  options: { time?: number; codec?: CodecName } = {},
) {
  const { time = 1000, codec = 'none' } = options
  const bytes = encodeBatch({
    records: records.map(([key, value]) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestamp: time,
    })),
    codec,
  })
  const result = log.append(bytes, { leaderEpoch: 0, now: time })
  if (!('baseOffset' in result)) throw new Error(result.message)
}

/** Newest value by key, with its offset, as a reader from the start would end up with. */
function newest(log: Log): Map<string, [offset: number, value: string | null]> {
  const map = new Map<string, [number, string | null]>()
  for (const { key, value, offset } of records(log)) map.set(key, [offset, value])
  return map
}

function records(log: Log) {
  return readAll(log, log.logStartOffset, 1000, true)
}

describe.each(places)('%s', (_name, make) => {
  let place: Place
  beforeEach(() => {
    place = make()
  })
  afterEach(() => place.remove())
  const open = (of: LogConfig = config) => new Log(place.reopen(), 'topics/t/0', of)
  const fill = (log: Log, rounds = 60) => {
    for (let i = 0; i < rounds; i++) {
      const codec = (['none', 'gzip', 'zstd', 'none', 'lz4', 'snappy'] as const)[i % 6]!
      put(
        log,
        [
          [`k${i % 7}`, `v${i}`],
          [`only${i}`, 'x'.repeat(20)],
          [`k${(i + 3) % 7}`, `w${i}`],
        ],
        { codec },
      )
    }
  }

  // A soak complained of a file that was not there.
  test('records that are deleted while a round goes on are no reason to complain, and the next round goes on behind them', async () => {
    const log = open()
    fill(log)
    await log.flush()
    const round = log.compact(1e9)
    log.deleteBelow(100)
    await round
    expect(log.logStartOffset).toBe(100)
    const before = newest(log)
    await log.compact(1e9)
    expect(newest(log)).toEqual(before)
    await log.close()
    expect(newest(open())).toEqual(before)
  })

  test('the newest record of every key stays at its offset, and the log becomes smaller', async () => {
    const log = open()
    fill(log)
    for (let i = 0; i < 60; i++) put(log, [[`only${i}`, 'y']])
    await log.flush()
    const before = newest(log)
    const bytes = log.byteCount
    await log.compact(2000)
    expect(newest(log)).toEqual(before)
    expect(log.byteCount).toBeLessThan(0.8 * bytes)
    const sealedEnd = log.segments.at(-1)!.baseOffset
    const old = records(log).filter(({ offset }) => offset < sealedEnd)
    expect(new Set(old.map(({ key }) => key)).size).toBe(old.length)
    expect(log.logEndOffset).toBe(240)
  })

  test('a compacted log is the same after a clean stop and after a kill, and takes appends', async () => {
    const log = open()
    fill(log)
    await log.flush()
    await log.compact(2000)
    const before = newest(log)
    const afterKill = open()
    expect(newest(afterKill)).toEqual(before)
    put(afterKill, [['k0', 'new']])
    expect(newest(afterKill).get('k0')).toEqual([180, 'new'])
    await afterKill.close()
    const afterStop = open()
    expect(newest(afterStop).get('k0')).toEqual([180, 'new'])
    expect(afterStop.recovered.scannedBytes).toBe(0)
  })

  test('an offset that was compacted away is read as the next record behind it', async () => {
    const log = open()
    for (let i = 0; i < 100; i++) put(log, [['same', `v${i}`]])
    await log.flush()
    await log.compact(2000)
    const left = records(log)
    expect(left.length).toBeLessThan(60)
    expect(readAll(log, 1, 1000, true)[0]).toEqual(left.find(({ offset }) => offset >= 1))
    expect(left.at(-1)).toMatchObject({ offset: 99, value: 'v99' })
  })

  test('a tombstone outlives the first compaction by delete.retention.ms and then goes', async () => {
    const log = open()
    put(log, [
      ['gone', 'a'],
      ['stays', 'b'],
    ])
    put(log, [['gone', null]])
    const more = (from: number) => {
      for (let i = from; i < from + 60; i++) put(log, [[`f${i % 5}`, `v${i}`]])
    }
    more(0)
    await log.flush()
    await log.compact(2000)
    expect(newest(log).get('gone')).toEqual([2, null])
    expect(records(log).filter(({ key }) => key === 'gone')).toHaveLength(1)
    more(60)
    await log.flush()
    await log.compact(2500)
    expect(newest(log).get('gone')).toEqual([2, null])
    more(120)
    more(180)
    await log.flush()
    await log.compact(3001)
    expect(newest(log).has('gone')).toBe(false)
    expect(newest(log).get('stays')).toEqual([1, 'b'])
  })

  test('young segments and logs with little to gain are left alone', async () => {
    const log = open({ ...config, minCompactionLagMs: 10_000 })
    fill(log)
    await log.flush()
    const bytes = log.byteCount
    await log.compact(5000)
    expect(log.byteCount).toBe(bytes)
    await log.compact(50_000)
    const compacted = log.byteCount
    expect(compacted).toBeLessThan(bytes)
    put(log, [['k1', 'z'.repeat(1500)]])
    put(log, [['k1', 'z'.repeat(1500)]])
    await log.flush()
    await log.compact(90_000)
    expect(log.compactedOffset).toBeLessThan(log.segments.at(-1)!.baseOffset)
  })

  test('appends and reads go on while a log is compacted', async () => {
    const log = open()
    fill(log, 200)
    await log.flush()
    const work = log.compact(2000)
    let i = 0
    let done = false
    void work.then(() => {
      done = true
    })
    while (!done) {
      put(log, [['k0', `during${i++}`]])
      readAll(log, log.logEndOffset - 1)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(i).toBeGreaterThan(0)
    expect(newest(log).get('k0')).toEqual([600 + i - 1, `during${i - 1}`])
  })
})
