// Reads a log for a merge: a slice at a time, so that others have their turn, and with every batch what became of its
// transaction. Offsets in, records out; nothing here knows why.

import * as batch from '../../protocol/records/batch.ts'
import { type CodecName, codecName } from '../../protocol/records/compression.ts'
import { type RecordCursor, readRecords, type StoredRecord, walkRecords } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import { atEase, atOnce, Considerate } from '../log/walk.ts'
import { borrow } from '../storage/file.ts'

/** What long work takes from its surroundings. */
export type Turns = {
  /** Between slices others have their turn. */
  readonly rest: () => Promise<void>
  /** Nobody wants the result any more. */
  readonly isOver: () => boolean
}

/** For one reading: how others fare beside it is its own to remember. */
export const politely = (isOver: () => boolean): Turns => ({ rest: new Considerate().rest, isOver })

/** Worked on within a millisecond or so: who waits for an answer hardly notices it. */
const sliceBytes = 32 * 1024
const sliceRecords = 256

/** `open`: nobody has decided yet. */
export type Fate = 'committed' | 'aborted' | 'open'

/** How the transactions of `[from, to)` ended, as of now. */
export class Fates {
  readonly #aborted = new Map<number, { firstOffset: number; lastOffset: number }[]>()
  readonly #open = new Map<number, number>()

  constructor(log: Log, from: number, to: number) {
    if (!log.producers.hasSeenTransactions) return
    for (const { producerId, ...range } of log.abortedTransactions(from, to)) {
      const known = this.#aborted.get(producerId)
      if (known === undefined) this.#aborted.set(producerId, [range])
      else known.push(range)
    }
    for (const [producerId, { transactionStart }] of log.producers.entries()) {
      if (transactionStart !== undefined) this.#open.set(producerId, transactionStart)
    }
  }

  /** Of a batch with records. */
  of(bytes: Buffer, position: number): Fate {
    if (!batch.isTransactional(bytes, position)) return 'committed'
    const producerId = batch.producerId(bytes, position)
    const offset = batch.baseOffset(bytes, position)
    if (offset >= (this.#open.get(producerId) ?? Infinity)) return 'open'
    const isAborted = this.#aborted
      .get(producerId)
      ?.some(({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset)
    return isAborted === true ? 'aborted' : 'committed'
  }
}

/** What is done about the records of a batch. */
type Walk = Iterator<void, void>

/** Of a batch that does not matter. */
export const noWalk: Walk = { next: () => ({ done: true, value: undefined }) }

/** `first`: records of the batch below it are not asked for, or are gone though their batch is still there. */
type Visit = (bytes: Buffer, position: number, first: number) => Walk

/** Visits batches with records of `bytes` up to offset `to`; gives the walk of each, and then where to go on reading. */
function* visitSlice(bytes: Buffer, from: number, to: number, visit: Visit): Generator<Walk, number> {
  let next = from
  for (const position of batch.iterateBatches(bytes)) {
    if (batch.baseOffset(bytes, position) >= to) return to
    next = Math.max(next, batch.nextOffset(bytes, position))
    if (!batch.isControl(bytes, position)) yield visit(bytes, position, from)
  }
  return next === from ? to : next
}

/** About a slice of batches. The bound of a read cuts in front of the batch that it falls into. */
const sliceOf = (log: Log, from: number) => log.read(from, sliceBytes, log.logEndOffset, true)

/** Visits every batch with records that has offsets in `[from, to)`; its first and last may lie outside. */
export async function eachBatch(log: Log, from: number, to: number, turns: Turns, visit: Visit): Promise<void> {
  // While others have their turn, retention may go on.
  const there = (at: number) => Math.max(at, log.logStartOffset)
  for (let at = there(from); at < to && !turns.isOver(); at = there(at)) {
    const lease = sliceOf(log, at)
    try {
      const walks = visitSlice(lease.bytes, at, to, visit)
      let step = walks.next()
      for (; !step.done; step = walks.next()) await atEase(step.value, turns.rest, turns.isOver)
      at = step.value
    } finally {
      lease.release()
    }
    await turns.rest()
  }
}

/** The same without a pause: for what is short. */
export function eachBatchAtOnce(log: Log, from: number, to: number, visit: Visit): void {
  for (let at = Math.max(from, log.logStartOffset); at < to; ) {
    at = borrow(sliceOf(log, at), (bytes) => {
      const walks = visitSlice(bytes, at, to, visit)
      let step = walks.next()
      for (; !step.done; step = walks.next()) atOnce(step.value)
      return step.value
    })
  }
}

/** What the first batch from an offset on is compressed with. */
export function codecAt(log: Log, from: number, end: number): CodecName | undefined {
  if (from >= end) return undefined
  return borrow(log.read(from, 1, end, true), (bytes) => {
    return bytes.length === 0 ? undefined : codecName(batch.codec(bytes, 0))
  })
}

const copied = (bytes: Buffer | null): Buffer | null => bytes && Buffer.from(bytes)

/** A record that outlives the bytes it was read from. */
export const kept = (record: StoredRecord): StoredRecord => ({
  offset: record.offset,
  timestamp: record.timestamp,
  key: copied(record.key),
  value: copied(record.value),
  headers: record.headers.map(({ key, value }) => ({ key, value: copied(value) })),
})

/** Single records by their offsets. Those that are asked for in rising order cost one read a batch. */
export class RecordReader {
  readonly #log: Log
  #records = new Map<number, StoredRecord>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Undefined where it is gone. */
  at(offset: number): StoredRecord | undefined {
    const known = this.#records.get(offset)
    if (known !== undefined) return known
    if (offset < this.#log.logStartOffset || offset >= this.#log.logEndOffset) return undefined
    this.#records = borrow(this.#log.read(offset, 1, this.#log.logEndOffset, true), (bytes) => {
      const found = new Map<number, StoredRecord>()
      if (bytes.length > 0) for (const record of readRecords(bytes, 0)) found.set(record.offset, kept(record))
      return found
    })
    return this.#records.get(offset)
  }
}

/** The time of the record that a cursor stands on. */
export const timestampOf = (bytes: Buffer, position: number, { timestampDelta }: RecordCursor): number =>
  batch.isLogAppendTime(bytes, position)
    ? batch.maxTimestamp(bytes, position)
    : batch.baseTimestamp(bytes, position) + timestampDelta

/** The record that a cursor stands on: a view of the bytes that it walks. */
export const recordOf = (bytes: Buffer, position: number, cursor: RecordCursor): StoredRecord => ({
  offset: batch.baseOffset(bytes, position) + cursor.offsetDelta,
  timestamp: timestampOf(bytes, position, cursor),
  key: cursor.key(),
  value: cursor.value(),
  headers: cursor.headers(),
})

/** Walks the records of a batch whose offsets lie in `[from, to)`, a slice at a time. */
export function* walkBatch(
  bytes: Buffer,
  position: number,
  from: number,
  to: number,
  visit: (cursor: RecordCursor, offset: number) => void,
): Generator<void, void> {
  const base = batch.baseOffset(bytes, position)
  const cursor = walkRecords(bytes, position)
  for (let records = 0, start = 0; cursor.next(); records++) {
    const offset = base + cursor.offsetDelta
    if (offset >= from && offset < to) visit(cursor, offset)
    if (records < sliceRecords && cursor.end - start < sliceBytes) continue
    yield
    records = 0
    start = cursor.end
  }
}

/** The key as a text that stands for exactly these bytes. */
export const keyText = (bytes: Buffer): string => bytes.toString('latin1')
export const keyBytes = (text: string): Buffer => Buffer.from(text, 'latin1')
