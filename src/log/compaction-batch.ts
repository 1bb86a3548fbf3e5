// What compaction leaves of one batch: the batch itself, a smaller one at the same offsets, one without records, nothing.

import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecName, compress } from '../../protocol/records/compression.ts'
import { RecordCursor, readRecords, unpackedRecords } from '../../protocol/records/record.ts'
import type { KeyOffsets } from './key-offsets.ts'
import type { ProducerState } from './producer-state.ts'
import type { TransactionFates } from './transaction-fates.ts'
import type { Walk } from './walk.ts'

export type Keeping = {
  newest: KeyOffsets
  /** Records from here on are not in `newest` and stay. */
  mappedEnd: number
  /** The record of a key that stays in spite of a newer one, for whoever asks about the one at an offset; -1: none. */
  newestPinned: (bytes: Uint8Array, keyStart: number, keyEnd: number, offset: number) => number
  /** Of keys, what this round leaves as it goes on; undefined where each has one record at most. */
  staying: KeyOffsets | undefined
  /** There was no room to note all of it. */
  isCrowded?: boolean
  fates: TransactionFates
  producers: ProducerState
  /** Tombstones and markers stay, whatever their age. */
  hidesOlder: boolean
  /** Broker time, ms. */
  now: number
  deleteRetentionMs: number
}

/** Looked at within a millisecond or so. */
export const recordsAtOnce = 512

/** `bytes`: exactly the batch. Undefined where nothing of it stays. */
export function* remainsOf(bytes: Buffer, keeping: Keeping): Walk<Buffer | undefined> {
  if (batch.isControl(bytes, 0)) return remainsOfMarker(bytes, keeping)
  const isTakenBack = keeping.fates.isTakenBack(bytes, 0)
  if (isTakenBack || batch.recordCount(bytes, 0) === 0) return shell(bytes, keeping)
  return yield* remainsOfRecords(bytes, keeping)
}

/** Markers wait for `delete.retention.ms` as tombstones do: readers may have met records that are gone now. */
function remainsOfMarker(bytes: Buffer, keeping: Keeping): Buffer | undefined {
  if (!keeping.fates.endsNothing(bytes, 0) || keeping.hidesOlder) return bytes
  if (batch.recordCount(bytes, 0) === 0) return shell(bytes, keeping)
  const horizon = batch.deleteHorizon(bytes, 0)
  if (horizon === undefined) return withHorizon(bytes, keeping, undefined)
  return keeping.now < horizon ? bytes : shell(bytes, keeping)
}

function* remainsOfRecords(bytes: Buffer, keeping: Keeping): Walk<Buffer | undefined> {
  const { newest, mappedEnd, hidesOlder, now, newestPinned } = keeping
  const base = batch.baseOffset(bytes, 0)
  const count = batch.recordCount(bytes, 0)
  const horizon = batch.deleteHorizon(bytes, 0)
  const isExpired = horizon !== undefined && now >= horizon && !hidesOlder
  const records = unpackedRecords(bytes, 0)
  const kept = new Set<number>()
  const pieces: Buffer[] = []
  let maxTimestampDelta = Number.NEGATIVE_INFINITY
  let hasTombstone = false
  const cursor = new RecordCursor().reset(records, 0, records.length, count)
  while (cursor.next()) {
    if (cursor.index % recordsAtOnce === recordsAtOnce - 1) yield
    const { keyLength, keyStart, valueLength, offsetDelta } = cursor
    const offset = base + offsetDelta
    if (offset < mappedEnd) {
      // Records without a key are from before the topic was compacted; they have no place in it.
      if (keyLength < 0) continue
      const keyEnd = keyStart + keyLength
      const pinned = newestPinned(records, keyStart, keyEnd, offset)
      if (pinned > offset || (pinned < offset && newest.get(records, keyStart, keyEnd) > offset)) continue
      if (valueLength < 0 && isExpired && !hides(records, keyStart, keyEnd, keeping)) continue
      note(records, keyStart, keyEnd, offset, keeping)
    }
    if (valueLength < 0) hasTombstone = true
    kept.add(offset)
    pieces.push(records.subarray(cursor.start, cursor.end))
    maxTimestampDelta = Math.max(maxTimestampDelta, cursor.timestampDelta)
  }
  if (kept.size === 0) return shell(bytes, keeping)
  if (hasTombstone && horizon === undefined && !hidesOlder) return withHorizon(bytes, keeping, kept)
  if (kept.size === count) return bytes
  const codec = batch.codec(bytes, 0)
  const plain = Buffer.concat(pieces)
  const isAppendTime = batch.isLogAppendTime(bytes, 0)
  return framed(bytes, codec === 0 ? plain : compress(codec, plain), {
    codec,
    recordCount: kept.size,
    baseTimestamp: batch.baseTimestamp(bytes, 0),
    maxTimestamp: isAppendTime ? batch.maxTimestamp(bytes, 0) : batch.baseTimestamp(bytes, 0) + maxTimestampDelta,
    hasDeleteHorizon: horizon !== undefined,
  })
}

/** Whether something older of the key stays, which must not come to life again. */
const hides = (bytes: Uint8Array, keyStart: number, keyEnd: number, { staying, isCrowded }: Keeping): boolean =>
  isCrowded === true || (staying !== undefined && staying.get(bytes, keyStart, keyEnd) >= 0)

function note(bytes: Uint8Array, keyStart: number, keyEnd: number, offset: number, keeping: Keeping): void {
  const isNoted = keeping.staying?.put(bytes, keyStart, keyEnd, offset) ?? true
  if (!isNoted) keeping.isCrowded = true
}

/** The records of the batch at `kept` offsets (all where it is undefined), with the time from when on it may lose more. */
function withHorizon(bytes: Buffer, { now, deleteRetentionMs }: Keeping, kept: Set<number> | undefined): Buffer {
  const records = []
  for (const record of readRecords(bytes, 0)) if (kept?.has(record.offset) ?? true) records.push(record)
  return encodeBatch({
    records,
    baseOffset: batch.baseOffset(bytes, 0),
    lastOffset: batch.lastOffset(bytes, 0),
    codec: codecName(batch.codec(bytes, 0)),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, 0),
    producerId: batch.producerId(bytes, 0),
    producerEpoch: batch.producerEpoch(bytes, 0),
    baseSequence: batch.baseSequence(bytes, 0),
    isTransactional: batch.isTransactional(bytes, 0),
    isControl: batch.isControl(bytes, 0),
    ...(batch.isLogAppendTime(bytes, 0) ? { logAppendTime: batch.maxTimestamp(bytes, 0) } : {}),
    deleteHorizon: now + deleteRetentionMs,
  })
}

/**
 * The last that is known of a producer stays as a batch without records: a start that has lost its snapshot must know
 * the sequence, or after a marker the epoch, that comes next (KIP-98).
 */
function shell(bytes: Buffer, { producers }: Keeping): Buffer | undefined {
  if (!batch.hasProducerId(bytes, 0) || !producers.endsWith(bytes, 0)) return undefined
  if (batch.recordCount(bytes, 0) === 0) return bytes
  const maxTimestamp = batch.maxTimestamp(bytes, 0)
  const times = { baseTimestamp: maxTimestamp, maxTimestamp, hasDeleteHorizon: false }
  return framed(bytes, Buffer.alloc(0), { codec: 0, recordCount: 0, ...times })
}

type Changed = {
  codec: number
  recordCount: number
  baseTimestamp: number
  maxTimestamp: number
  hasDeleteHorizon: boolean
}

/** Other records under the header of a batch. */
function framed(bytes: Buffer, records: Buffer, changed: Changed): Buffer {
  const made = Buffer.concat([bytes.subarray(0, batch.headerBytes), records])
  batch.writeHeader(made, 0, made.length, {
    baseOffset: batch.baseOffset(bytes, 0),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, 0),
    lastOffsetDelta: batch.lastOffsetDelta(bytes, 0),
    producerId: batch.producerId(bytes, 0),
    producerEpoch: batch.producerEpoch(bytes, 0),
    baseSequence: batch.baseSequence(bytes, 0),
    isLogAppendTime: batch.isLogAppendTime(bytes, 0),
    isTransactional: batch.isTransactional(bytes, 0),
    isControl: batch.isControl(bytes, 0),
    ...changed,
  })
  return made
}
