// Compaction of transactional topics (KIP-98, KIP-534): what was taken back goes, markers go last, sequences are never lost.

import { beforeEach, describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { checkLog } from '../../src/log/check.ts'
import { Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { borrow } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { readAll, smallConfig } from './log-environment.ts'
import { readCommitted } from './read-committed.ts'

const folder = 'topics/t/0'
const config: LogConfig = {
  ...smallConfig,
  compacts: true,
  deletes: false,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: 1000,
}

let store: MemoryStore
let log: Log
const sequences = new Map<number, number>()

beforeEach(() => {
  store = new MemoryStore()
  log = new Log(store, folder, config)
  sequences.clear()
})

const options = { leaderEpoch: 0, now: 1000 }

function put(producer: number | undefined, ...entries: [key: string, value: string | null][]): number {
  const sequence = producer === undefined ? -1 : (sequences.get(producer) ?? 0)
  const result = log.append(
    encodeBatch({
      records: entries.map(([key, value]) => ({ key, value, timestamp: 1000 })),
      ...(producer === undefined ? {} : { producerId: producer, producerEpoch: 0, baseSequence: sequence }),
      isTransactional: producer !== undefined,
    }),
    options,
  )
  if (!('baseOffset' in result)) throw new Error(`${result.error}: ${result.message}`)
  if (producer !== undefined) sequences.set(producer, sequence + entries.length)
  return result.baseOffset
}

function end(producerId: number, type: 'COMMIT' | 'ABORT'): number {
  const source = { producerId, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 0 }
  const result = log.appendMarker({ type, ...source, timestamp: 1000 }, options)
  if (!('baseOffset' in result)) throw new Error(result.message)
  return result.baseOffset
}

/** A round of compaction over all that is there. */
async function compact(now = 2000): Promise<void> {
  log.roll()
  put(undefined, ['last', 'x'])
  await log.flush()
  await log.compact(now)
  expect(checkLog(store, folder).findings).toEqual([])
}

/** What stands at each offset: `key=value`, a marker, or a batch without records. */
function contents(): string[] {
  const seen: string[] = []
  for (const segment of log.segments) {
    for (let position = 0; position < segment.length; ) {
      const { byteCount } = segment.batchAt(position)
      borrow(segment.read(position, byteCount), (bytes) => {
        const base = batch.baseOffset(bytes, 0)
        if (batch.isControl(bytes, 0)) {
          const kinds = Array.from(readRecords(bytes, 0), ({ key }) => (key!.readInt16BE(2) === 1 ? 'commit' : 'abort'))
          seen.push(`${base} ${kinds[0] ?? 'no marker'}${batch.hasDeleteHorizon(bytes, 0) ? ' until' : ''}`)
        } else if (batch.recordCount(bytes, 0) === 0) seen.push(`${base} nothing`)
        else for (const { offset, key, value } of readRecords(bytes, 0)) seen.push(`${offset} ${key}=${value}`)
      })
      position += byteCount
    }
  }
  return seen.filter((line) => !line.includes('last='))
}

describe('what was taken back', () => {
  test('goes, and hides nothing older', async () => {
    put(undefined, ['a', '1'], ['b', '1'])
    put(7, ['a', '2'], ['c', '2'])
    end(7, 'ABORT')
    put(7, ['b', '3'])
    end(7, 'COMMIT')
    await compact()
    expect(contents()).toEqual(['0 a=1', '4 abort', '5 b=3', '6 commit'])
    expect(readCommitted(log).filter(([, value]) => value !== 'x')).toEqual([
      [0, '1'],
      [5, '3'],
    ])
  })

  test('is told of until nothing of it is left, and never longer than its marker stands', async () => {
    put(7, ['a', '1'])
    end(7, 'ABORT')
    put(7, ['b', '1'])
    end(7, 'COMMIT')
    const told = () => log.abortedTransactions(0, log.logEndOffset).map(({ lastOffset }) => lastOffset)
    await compact(2000)
    expect(contents()).toEqual(['1 abort', '2 b=1', '3 commit'])
    expect(told()).toEqual([1])
    await compact(2100)
    expect(contents()).toEqual(['1 abort until', '2 b=1', '3 commit'])
    expect(told()).toEqual([])
    await compact(3099)
    expect(contents()[0]).toBe('1 abort until')
    await compact(3100)
    expect(contents()).toEqual(['2 b=1', '3 commit'])
    expect(told()).toEqual([])
    expect(readCommitted(log)[0]).toEqual([2, '1'])
  })
})

describe('a marker that commits', () => {
  test('stays as long as a record of its transaction does, and delete.retention.ms longer', async () => {
    put(7, ['a', '1'])
    end(7, 'COMMIT')
    await compact(2000)
    expect(contents()).toEqual(['0 a=1', '1 commit'])
    put(8, ['a', '2'])
    end(8, 'COMMIT')
    // The last batch of a producer stays without records: its sequence must be found again.
    await compact(2100)
    expect(contents()).toEqual(['0 nothing', '1 commit', '3 a=2', '4 commit'])
    put(7, ['b', '1'])
    end(7, 'COMMIT')
    await compact(2200)
    await compact(2300)
    expect(contents().slice(0, 2)).toEqual(['1 commit until', '3 a=2'])
    await compact(3300)
    expect(contents()[0]).toBe('3 a=2')
  })

  test('of a producer that wrote nothing else stays without its record, for the epoch in it', async () => {
    const source = { producerId: 9, producerEpoch: 4, coordinatorEpoch: 0, transactionVersion: 2, timestamp: 1000 }
    log.appendMarker({ type: 'ABORT', ...source }, options)
    await compact(2000)
    await compact(3000)
    expect(contents()).toEqual(['0 no marker'])
    for (const name of store.list(folder)) if (name.endsWith('.snapshot')) store.remove(`${folder}/${name}`)
    const again = new Log(store, folder, config)
    expect(again.producers.checkEpoch(9, 3)?.error).toBe('INVALID_PRODUCER_EPOCH')
  })
})

test('sequences are found again where every snapshot is lost', async () => {
  for (let i = 0; i < 5; i++) {
    put(7, ['a', `${i}`], ['b', `${i}`])
    end(7, 'COMMIT')
  }
  put(undefined, ['a', 'end'], ['b', 'end'])
  await compact(2000)
  await compact(9000)
  const lone = log.producers
  for (const name of store.list(folder)) if (name.endsWith('.snapshot')) store.remove(`${folder}/${name}`)
  log = new Log(store, folder, config)
  const stale = encodeBatch({
    records: [{ key: 'a', value: 'again', timestamp: 1000 }],
    producerId: 7,
    producerEpoch: 0,
    baseSequence: 9,
    isTransactional: true,
  })
  expect(log.append(stale, options)).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  expect(put(7, ['a', 'more'])).toBe(log.logEndOffset - 1)
  expect(lone.count).toBe(1)
})

test('nothing from an open transaction on is touched', async () => {
  put(undefined, ['a', '1'])
  put(undefined, ['a', '2'])
  log.roll()
  const first = put(7, ['b', '1'])
  put(undefined, ['b', '2'], ['a', '3'])
  put(undefined, ['a', '4'])
  await compact(2000)
  expect(contents()).toEqual(['1 a=2', `${first} b=1`, '3 b=2', '4 a=3', '5 a=4'])
  end(7, 'ABORT')
  await compact(3000)
  expect(contents()).toEqual(['2 nothing', '3 b=2', '5 a=4', '7 abort'])
})

test('a map that is too small for all keys takes as many rounds as it needs', async () => {
  log = new Log(store, folder, { ...config, dedupeBufferBytes: 0 })
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 100; i++) put(undefined, [`k${i}`, `${round}`], [`l${i}`, `${round}`])
  }
  log.roll()
  put(undefined, ['last', 'x'])
  await log.flush()
  const newest = () => new Map(readAll(log, 0, 1000, true).map(({ key, value, offset }) => [key, [offset, value]]))
  const before = newest()
  // 48 keys fit, so the 800 records take 17 rounds.
  for (let round = 1; round <= 17; round++) {
    await log.compact(2000 + round)
    expect(newest()).toEqual(before)
    expect(readAll(log, 0, 1000, true).length > 201).toBe(round < 17)
  }
})

test('segments that have become small are written into one', async () => {
  for (let i = 0; i < 400; i++) put(undefined, [`k${i % 5}`, `${i}`])
  await compact(2000)
  const count = log.segments.length
  expect(count).toBeGreaterThan(5)
  for (let i = 0; i < 60; i++) put(undefined, [`k${i % 5}`, `more${i}`])
  await compact(3000)
  expect(log.segments.length).toBeLessThan(count / 2)
  expect(
    readAll(log, 0, 1000, true)
      .filter(({ key }) => key !== 'last')
      .map(({ key }) => key),
  ).toEqual(['k0', 'k1', 'k2', 'k3', 'k4'])
  await log.close()
  log = new Log(store, folder, config)
  expect(log.recovered.scannedBytes).toBe(0)
  expect(readAll(log, 0, 1000, true)).toHaveLength(7)
})
