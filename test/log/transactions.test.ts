// Transactions inside one log: what is open, what was taken back, who may still write (KIP-98, KIP-890).

import { describe, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { type Appended, Log } from '../../src/log/log.ts'
import { ProducerState } from '../../src/log/producer-state.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { appended, smallConfig } from './log-environment.ts'

const options = { leaderEpoch: 0, now: 1000 }

type Sent = {
  id?: number
  epoch?: number
  sequence?: number
  values?: string[]
  produceVersion?: number
  plain?: boolean
}

function send(log: Log, sent: Sent = {}): Appended | Refusal {
  const { id = 7, epoch = 0, sequence = 0, values = ['a'], produceVersion, plain = false } = sent
  const bytes = encodeBatch({
    records: values.map((value) => ({ key: value, value, timestamp: 1000 })),
    producerId: id,
    producerEpoch: epoch,
    baseSequence: sequence,
    isTransactional: !plain,
  })
  return log.append(bytes, produceVersion === undefined ? options : { ...options, produceVersion })
}

type Ended = { id?: number; epoch?: number; coordinator?: number; version?: number }

function end(log: Log, type: 'COMMIT' | 'ABORT', { id = 7, epoch = 0, coordinator = 0, version = 0 }: Ended = {}) {
  const source = { producerId: id, producerEpoch: epoch, coordinatorEpoch: coordinator, transactionVersion: version }
  return log.appendMarker({ type, ...source, timestamp: 1000 }, options)
}

const errorOf = (result: Appended | Refusal) => (result instanceof Refusal ? result.error : 'NONE')
const stable = (log: Log, highWatermark = log.logEndOffset) =>
  Math.min(highWatermark, log.producers.transactions.firstUnstable(highWatermark))

function world() {
  const store = new MemoryStore()
  const open = () => new Log(store, 'topics/t/0', smallConfig)
  return { store, open, log: open() }
}

describe('the first offset that is not stable', () => {
  test('is that of the oldest open transaction, and moves on when its marker stands', () => {
    const { log } = world()
    appended(log, ['before'])
    send(log, { id: 1 })
    send(log, { id: 2 })
    expect(stable(log)).toBe(1)
    end(log, 'COMMIT', { id: 2 })
    expect(stable(log)).toBe(1)
    end(log, 'ABORT', { id: 1 })
    expect(stable(log)).toBe(5)
  })

  test('waits for the marker to be below the high watermark', () => {
    const { log } = world()
    send(log)
    end(log, 'COMMIT')
    expect(stable(log, 1)).toBe(0)
    expect(stable(log, 2)).toBe(2)
  })

  test('is the same after a clean stop and after a kill, across segments', async () => {
    const { log, open } = world()
    send(log, { id: 1 })
    for (let i = 0; i < 60; i++) appended(log, ['x'.repeat(50)])
    expect(log.segments.length).toBeGreaterThan(2)
    expect(stable(open())).toBe(0)
    await log.close()
    const later = open()
    expect(later.recovered.scannedBytes).toBe(0)
    expect(stable(later)).toBe(0)
    end(later, 'ABORT', { id: 1 })
    expect(stable(later)).toBe(later.logEndOffset)
    expect(later.abortedTransactions(0, 10)).toEqual([
      { producerId: 1, firstOffset: 0, lastOffset: 61, lastStableOffset: 62 },
    ])
  })
})

describe('transactions taken back', () => {
  test('are told where they touch what is read, in the order of their markers', () => {
    const { log } = world()
    send(log, { id: 1 }) // 0
    send(log, { id: 2 }) // 1
    end(log, 'ABORT', { id: 2 }) // 2
    end(log, 'ABORT', { id: 1 }) // 3
    send(log, { id: 1, sequence: 1 }) // 4
    end(log, 'COMMIT', { id: 1 }) // 5
    send(log, { id: 3 }) // 6
    end(log, 'ABORT', { id: 3 }) // 7
    const told = (from: number, upTo: number) => log.abortedTransactions(from, upTo).map(({ producerId }) => producerId)
    expect(told(0, 8)).toEqual([2, 1, 3])
    expect(told(0, 1)).toEqual([1])
    expect(told(3, 6)).toEqual([1])
    expect(told(4, 6)).toEqual([])
    expect(told(8, 8)).toEqual([])
  })

  test('are known after a kill and after a clean stop, whatever segment holds their markers', async () => {
    const { log, open } = world()
    for (let i = 0; i < 40; i++) {
      send(log, { id: i % 3, sequence: Math.floor(i / 3), values: ['x'.repeat(60)] })
      end(log, i % 2 === 0 ? 'ABORT' : 'COMMIT', { id: i % 3 })
    }
    const all = log.abortedTransactions(0, log.logEndOffset)
    expect(all).toHaveLength(20)
    expect(log.segments.length).toBeGreaterThan(2)
    const killed = open()
    expect(killed.abortedTransactions(0, log.logEndOffset)).toEqual(all)
    await killed.close()
    expect(open().abortedTransactions(0, log.logEndOffset)).toEqual(all)
  })

  test('are found again where the index of a sealed segment was lost', async () => {
    const { log, open, store } = world()
    send(log, { id: 1 })
    for (let i = 0; i < 40; i++) appended(log, ['x'.repeat(50)])
    end(log, 'ABORT', { id: 1 })
    for (let i = 0; i < 40; i++) appended(log, ['x'.repeat(50)])
    await log.close()
    for (const name of store.list('topics/t/0')) if (name.endsWith('.index')) store.remove(`topics/t/0/${name}`)
    const told = [{ producerId: 1, firstOffset: 0, lastOffset: 41, lastStableOffset: 42 }]
    expect(open().abortedTransactions(0, 10)).toEqual(told)
  })
})

describe('who may write', () => {
  test('a marker with a higher epoch fences the epoch before, and the next batch begins with sequence 0', () => {
    const { log } = world()
    send(log)
    end(log, 'COMMIT', { epoch: 1, version: 2 })
    expect(errorOf(send(log, { sequence: 1 }))).toBe('INVALID_PRODUCER_EPOCH')
    expect(errorOf(send(log, { epoch: 1, sequence: 1 }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(errorOf(send(log, { epoch: 1 }))).toBe('NONE')
  })

  test('a marker of the same epoch leaves the sequence where it was', () => {
    const { log } = world()
    send(log)
    end(log, 'COMMIT')
    expect(errorOf(send(log))).toBe('NONE') // a retry of what was committed
    expect(log.logEndOffset).toBe(2)
    expect(errorOf(send(log, { sequence: 2 }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(errorOf(send(log, { sequence: 1 }))).toBe('NONE')
  })

  test('a new epoch begins with sequence 0; what has nothing to follow begins anywhere, except with transactions of version 2', () => {
    const { log } = world()
    expect(errorOf(send(log, { sequence: 5 }))).toBe('NONE')
    expect(errorOf(send(log, { epoch: 1, sequence: 6 }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(errorOf(send(log, { id: 8, sequence: 5, produceVersion: 12 }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(errorOf(send(log, { id: 8, sequence: 5, produceVersion: 12, plain: true }))).toBe('NONE')
  })

  test('a plain batch in the middle of a transaction is refused', () => {
    const { log } = world()
    send(log)
    expect(errorOf(send(log, { sequence: 1, plain: true }))).toBe('INVALID_TXN_STATE')
    end(log, 'ABORT')
    expect(errorOf(send(log, { sequence: 1, plain: true }))).toBe('NONE')
  })

  test('an older coordinator and an older epoch end nothing', () => {
    const { log } = world()
    send(log, { epoch: 3 })
    expect(errorOf(end(log, 'ABORT', { epoch: 2 }))).toBe('INVALID_PRODUCER_EPOCH')
    expect(errorOf(end(log, 'ABORT', { epoch: 3, coordinator: 4 }))).toBe('NONE')
    send(log, { epoch: 3, sequence: 1 })
    expect(errorOf(end(log, 'COMMIT', { epoch: 3, coordinator: 3 }))).toBe('TRANSACTION_COORDINATOR_FENCED')
    expect(log.producers.hasOpenTransaction(7, 3)).toBe(true)
    expect(log.producers.hasOpenTransaction(7, 2)).toBe(false)
  })

  test('with transactions of version 2 a marker that comes twice does not end the next transaction', () => {
    const { log } = world()
    send(log)
    expect(errorOf(end(log, 'COMMIT', { epoch: 1, version: 2 }))).toBe('NONE')
    expect(errorOf(end(log, 'COMMIT', { epoch: 1, version: 2 }))).toBe('NONE')
    send(log, { epoch: 1 })
    expect(errorOf(end(log, 'COMMIT', { epoch: 1, version: 2 }))).toBe('INVALID_PRODUCER_EPOCH')
    expect(log.producers.hasOpenTransaction(7, 1)).toBe(true)
  })

  test('a producer with an open transaction is never forgotten', () => {
    const { log } = world()
    send(log, { id: 1 })
    send(log, { id: 2, plain: true })
    log.producers.expire(5000, 0)
    expect([...log.producers.entries()].map(([id]) => id)).toEqual([1])
  })
})

describe('a producer that brings in what is old', () => {
  const yearMs = 365 * 86_400_000
  const dayMs = 86_400_000
  const old = { id: 2, plain: true } // its records say 1970
  const at = (now: number) => ({ leaderEpoch: 0, now })

  test('is known for as long as any other: what it sends again is not written again', () => {
    const { log } = world()
    const bytes = () =>
      encodeBatch({
        records: [{ key: 'k', value: 'v', timestamp: 1000 }],
        producerId: 2,
        producerEpoch: 0,
        baseSequence: 0,
      })
    expect(log.append(bytes(), at(yearMs))).toMatchObject({ baseOffset: 0, duplicate: false })
    log.producers.expire(yearMs + dayMs, dayMs)
    expect(log.append(bytes(), at(yearMs + dayMs))).toMatchObject({ baseOffset: 0, duplicate: true })
    log.producers.expire(yearMs + dayMs + 1, dayMs)
    expect([...log.producers.entries()]).toEqual([])
  })

  test('and across a start: from a snapshot as it was, from the log itself from then on', () => {
    const { log } = world()
    send(log, old)
    const snapshot = ProducerState.decode(log.producers.encode())
    snapshot.expire(1000 + dayMs, dayMs)
    expect([...snapshot.entries()]).toHaveLength(1)
    snapshot.expire(1001 + dayMs, dayMs)
    expect([...snapshot.entries()]).toEqual([])
    const read = new ProducerState()
    read.note(
      encodeBatch({
        records: [{ key: 'k', value: 'v', timestamp: 1000 }],
        producerId: 2,
        producerEpoch: 0,
        baseSequence: 0,
      }),
      0,
    )
    read.expire(yearMs, dayMs)
    read.expire(yearMs + dayMs, dayMs)
    expect([...read.entries()]).toHaveLength(1)
    read.expire(yearMs + dayMs + 1, dayMs)
    expect([...read.entries()]).toEqual([])
  })
})

test('a snapshot from before there were transactions is read, and one with an open transaction brings it back', () => {
  const sent = { firstSequence: 0, lastSequence: 4, firstOffset: 10, lastOffset: 14, timestamp: 1000 }
  const known = { epoch: 2, batches: [sent], lastTimestamp: 1000 }
  const producers = ProducerState.decode(Buffer.from(JSON.stringify({ v: 1, producers: [[7, known]] })))
  expect([...producers.entries()]).toEqual([[7, { ...known, coordinatorEpoch: -1 }]])
  expect(producers.transactions.firstOpen).toBe(Infinity)
  const { log } = world()
  send(log, { id: 2 })
  send(log, { id: 1 })
  const again = ProducerState.decode(log.producers.encode())
  expect(again.transactions.firstOpen).toBe(0)
  expect([...again.entries()]).toEqual([...log.producers.entries()])
})
