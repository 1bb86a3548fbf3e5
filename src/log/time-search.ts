// Looks a time up: the indexes name a batch, and the batch is read for the record.

import * as batch from '../../protocol/records/batch.ts'
import { offsetOfTimestamp, type TimestampedOffset, walkRecords } from '../../protocol/records/record.ts'
import { borrow } from '../storage/file.ts'
import type { Segment } from './segment.ts'

/** The first record with offset in `[from, bound)` whose timestamp is `timestamp` or later. */
export function searchTime(
  segments: readonly Segment[],
  timestamp: number,
  from: number,
  bound: number,
): TimestampedOffset | undefined {
  for (const segment of segments) {
    let found = segment.findTime(timestamp)
    while (found !== undefined && found.baseOffset < bound) {
      const { byteCount, position, nextOffset } = found
      const record = borrow(segment.read(position, byteCount), (bytes) => offsetOfTimestamp(bytes, 0, timestamp, from))
      if (record !== undefined && record.offset < bound) return record
      found = segment.find(nextOffset)
    }
  }
  return undefined
}

/** The largest timestamp of a record from `from` on; -1 where none has a time. */
export function largestTime(segments: readonly Segment[], from: number): number {
  let largest = -1
  const left = segments.filter(({ nextOffset }) => nextOffset > from).sort((a, b) => b.maxTimestamp - a.maxTimestamp)
  for (const segment of left) {
    if (segment.maxTimestamp <= largest) return largest
    // The record with it may lie below the log start, or compaction took it.
    const isThere = searchTime([segment], segment.maxTimestamp, from, Infinity) !== undefined
    largest = Math.max(largest, isThere ? segment.maxTimestamp : largestIn(segment, from))
  }
  return largest
}

function largestIn(segment: Segment, from: number): number {
  let largest = -1
  for (let found = segment.find(from); found !== undefined; found = segment.find(found.nextOffset)) {
    const { position, byteCount, baseOffset, maxTimestamp } = found
    if (maxTimestamp <= largest) continue
    const ofBatch = borrow(segment.read(position, byteCount), (bytes) => largestOf(bytes, from - baseOffset))
    largest = Math.max(largest, ofBatch)
  }
  return largest
}

/** Of the records of a batch from one on. */
function largestOf(bytes: Buffer, offsetDeltaMin: number): number {
  if (batch.isLogAppendTime(bytes, 0) && batch.recordCount(bytes, 0) > 0) return batch.maxTimestamp(bytes, 0)
  let largest = -1
  const cursor = walkRecords(bytes, 0)
  while (cursor.next()) {
    if (cursor.offsetDelta < offsetDeltaMin) continue
    largest = Math.max(largest, batch.baseTimestamp(bytes, 0) + cursor.timestampDelta)
  }
  return largest
}
