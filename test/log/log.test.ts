// The contract of a log, on every store: what is appended is read back at its offset, across rolls, restarts and cuts.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BatchRefusal, Log } from '../../src/log/log.ts'
import { type Place, places } from '../storage/stores.ts'
import { append, appended, batchOf, counted, readAll, smallConfig } from './log-environment.ts'

describe.each(places)('%s', (_name, make) => {
  let place: Place
  beforeEach(() => {
    place = make()
  })
  afterEach(() => place.remove())
  const open = (config = smallConfig) => new Log(place.open(), 'topics/t/0', config)

  test('a log that was never written owns nothing on the disk', async () => {
    const store = place.open()
    const log = new Log(store, 'topics/t/0', smallConfig)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([0, 0])
    log.retain(5000)
    await log.flush()
    await log.close()
    expect(store.list('topics/t/0')).toEqual([])
  })

  test('offsets count up over batches and segments, and every record is read back at its own', () => {
    const log = open()
    for (let i = 0; i < 300; i += 3) {
      const result = appended(log, [`v${i}`, `v${i + 1}`, `v${i + 2}`])
      expect([result.baseOffset, result.lastOffset]).toEqual([i, i + 2])
    }
    expect(log.segments.length).toBeGreaterThan(3)
    expect(readAll(log)).toEqual(counted(0, 300))
    for (const offset of [0, 1, 2, 3, 149, 150, 151, 298, 299])
      expect(readAll(log, offset)).toEqual(counted(offset, 300))
  })

  test('records that come in pieces are the same as records that come in one', () => {
    const log = open()
    const whole = batchOf(['v0', 'v1'])
    const pieces = [whole.subarray(0, 7), whole.subarray(7, 70), whole.subarray(70)]
    expect(log.append(pieces, { leaderEpoch: 0, now: 1 })).toMatchObject({ baseOffset: 0, lastOffset: 1 })
    expect(readAll(log)).toEqual(counted(0, 2))
  })

  test('a read shows nothing at or above its bound, and its first batch whole only when asked', () => {
    const log = open()
    for (let i = 0; i < 10; i++) appended(log, [`v${i}`])
    const size = batchOf(['v0']).length
    const length = (offset: number, bytesMax: number, bound: number, whole: boolean) => {
      const lease = log.read(offset, bytesMax, bound, whole)
      lease.release()
      return lease.bytes.length
    }
    expect(length(2, 10 * size, 5, true)).toBe(3 * size)
    expect(length(5, 10 * size, 5, true)).toBe(0)
    expect(length(2, 10, 10, true)).toBe(size)
    expect(length(2, 10, 10, false)).toBe(0)
  })

  test('a clean stop and a start give the same log without a scan', async () => {
    const log = open()
    for (let i = 0; i < 200; i++) appended(log, [`v${i}`])
    await log.close()
    const again = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect(again.recovered).toEqual({ scannedBytes: 0, cutBytes: 0 })
    expect(readAll(again)).toEqual(counted(0, 200))
    appended(again, ['v200'])
    expect(readAll(again, 150)).toEqual(counted(150, 201))
    await again.close()
    const third = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect(readAll(third)).toEqual(counted(0, 201))
  })

  test('a start after a kill scans and finds everything', () => {
    const log = open()
    for (let i = 0; i < 200; i++) appended(log, [`v${i}`], { time: 1000 + 10 * i })
    const again = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect(again.recovered.scannedBytes).toBeGreaterThan(0)
    expect(again.recovered.cutBytes).toBe(0)
    expect(readAll(again)).toEqual(counted(0, 200))
    expect(again.offsetAt(2000, 200)).toEqual({ offset: 100, timestamp: 2000, leaderEpoch: 0 })
    appended(again, ['v200'])
    expect(readAll(again, 199)).toEqual(counted(199, 201))
  })

  test('an offset is found by its time, inside packed batches too, and none beyond the last', () => {
    const log = open()
    for (const [i, codec] of (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).entries()) {
      appended(log, ['a', 'b', 'c', 'd'], { time: 1000 * (i + 1), codec })
    }
    expect(log.offsetAt(0, 20)).toMatchObject({ offset: 0, timestamp: 1000 })
    expect(log.offsetAt(2002, 20)).toMatchObject({ offset: 6, timestamp: 2002 })
    expect(log.offsetAt(2004, 20)).toMatchObject({ offset: 8, timestamp: 3000 })
    expect(log.offsetAt(5003, 20)).toMatchObject({ offset: 19, timestamp: 5003 })
    expect(log.offsetAt(5004, 20)).toBeUndefined()
    expect(log.offsetAt(5000, 16)).toBeUndefined()
    expect(log.maxTimestamp()).toMatchObject({ offset: 19, timestamp: 5003 })
  })

  test('a time in an older segment is found although later segments hold older records', () => {
    const log = open()
    const times = [5000, 1000, 9000, 2000, 3000, 8000]
    for (const [i, time] of times.entries()) {
      for (let n = 0; n < 60; n++) appended(log, [`${i}-${n}`], { time: time + n })
    }
    expect(log.segments.length).toBeGreaterThan(6)
    expect(log.offsetAt(5030, 360)).toMatchObject({ offset: 30 })
    expect(log.offsetAt(5060, 360)).toMatchObject({ offset: 120, timestamp: 9000 })
    expect(log.maxTimestamp()).toMatchObject({ offset: 179, timestamp: 9059 })
  })

  test('a retry of any of the last five batches is answered with its first offset, a gap and an old epoch are refused', () => {
    const log = open()
    const send = (epoch: number, sequence: number, count = 2) =>
      append(
        log,
        Array.from({ length: count }, (_, i) => `s${sequence + i}`),
        { producer: { id: 7, epoch, sequence } },
      )
    for (let i = 0; i < 6; i++) expect(send(0, 2 * i)).toMatchObject({ baseOffset: 2 * i, duplicate: false })
    for (let i = 1; i < 6; i++) expect(send(0, 2 * i)).toMatchObject({ baseOffset: 2 * i, duplicate: true })
    expect(send(0, 0)).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(send(0, 14)).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(send(1, 5)).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(send(1, 0)).toMatchObject({ baseOffset: 12, duplicate: false })
    expect(send(0, 12)).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
    expect(log.logEndOffset).toBe(14)
  })

  test('a producer is remembered over a clean stop, over a kill and over rolls', async () => {
    const producer = (sequence: number) => ({ producer: { id: 9, epoch: 0, sequence } })
    const log = open()
    for (let i = 0; i < 120; i++) appended(log, [`v${i}`], producer(i))
    expect(log.segments.length).toBeGreaterThan(2)
    const afterKill = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect(append(afterKill, ['v119'], producer(119))).toMatchObject({ baseOffset: 119, duplicate: true })
    expect(append(afterKill, ['v121'], producer(121))).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    await afterKill.close()
    const afterStop = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect(append(afterStop, ['v119'], producer(119))).toMatchObject({ baseOffset: 119, duplicate: true })
    expect(append(afterStop, ['v120'], producer(120))).toMatchObject({ baseOffset: 120, duplicate: false })
  })

  test('a refused batch leaves no trace, neither in the log nor for a scan', () => {
    const log = open()
    appended(log, ['v0'])
    const bad = batchOf(['x'])
    bad[30]! ^= 1
    expect(log.append(bad, { leaderEpoch: 0, now: 1 })).toBeInstanceOf(BatchRefusal)
    const again = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect(readAll(again)).toEqual(counted(0, 1))
    appended(again, ['v1'])
    expect(readAll(again)).toEqual(counted(0, 2))
  })

  test('records below a new log start are gone, whole segments of them from the disk, and stay gone', async () => {
    const log = open()
    for (let i = 0; i < 200; i++) appended(log, [`v${i}`])
    const before = log.segments.length
    log.deleteBelow(150)
    expect(log.logStartOffset).toBe(150)
    expect(log.segments.length).toBeLessThan(before)
    expect(readAll(log)).toEqual(counted(150, 200))
    const afterKill = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect([afterKill.logStartOffset, afterKill.logEndOffset]).toEqual([150, 200])
    log.deleteBelow(200)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([200, 200])
    appended(log, ['v200'])
    expect(readAll(log)).toEqual(counted(200, 201))
  })

  test('retention by time and by bytes removes whole segments, the oldest first', () => {
    const byTime = open({ ...smallConfig, retentionMs: 1000 })
    for (let i = 0; i < 200; i++) appended(byTime, [`v${i}`], { time: 1000 + 10 * i, now: 1000 + 10 * i })
    expect(byTime.retain(2500)).toBeGreaterThan(0)
    expect(byTime.logStartOffset).toBeGreaterThan(0)
    expect(byTime.logStartOffset).toBeLessThanOrEqual(51)
    expect(byTime.retain(100_000)).toBeGreaterThan(0)
    expect([byTime.logStartOffset, byTime.logEndOffset]).toEqual([200, 200])
    appended(byTime, ['v200'], { time: 100_000, now: 100_000 })
    expect(readAll(byTime)).toEqual(counted(200, 201))
    const byBytes = new Log(place.open(), 'topics/t/1', { ...smallConfig, retentionBytes: 10_000 })
    for (let i = 0; i < 400; i++) appended(byBytes, [`v${i}`])
    byBytes.retain(0)
    expect(byBytes.byteCount).toBeGreaterThanOrEqual(10_000)
    expect(byBytes.byteCount).toBeLessThan(10_000 + 2048)
    expect(readAll(byBytes)).toEqual(counted(byBytes.logStartOffset, 400))
  })

  test('a log whose newest segment was emptied by retention starts again at its end', async () => {
    const log = open({ ...smallConfig, retentionMs: 10 })
    for (let i = 0; i < 5; i++) appended(log, [`v${i}`])
    log.retain(1_000_000)
    await log.close()
    const again = new Log(place.reopen(), 'topics/t/0', smallConfig)
    expect([again.logStartOffset, again.logEndOffset]).toEqual([5, 5])
    expect(appended(again, ['v5']).baseOffset).toBe(5)
  })

  test('broker time replaces the times of records where the topic asks for it', () => {
    const log = open({ ...smallConfig, logAppendTime: true })
    expect(appended(log, ['a', 'b'], { time: 5, now: 777 })).toMatchObject({ logAppendTimeMs: 777 })
    expect(log.offsetAt(777, 2)).toMatchObject({ offset: 0, timestamp: 777 })
    expect(log.offsetAt(778, 2)).toBeUndefined()
  })

  test('batches are brought to the codec of the topic', () => {
    const log = open({ ...smallConfig, codec: 2 })
    appended(log, ['v0', 'v1'])
    appended(log, ['v2'], { codec: 'gzip' })
    expect(readAll(log)).toEqual(counted(0, 3))
    const lease = log.read(0, 1000, 3, true)
    expect(lease.bytes[22]! & 7).toBe(2)
    lease.release()
  })
})
