// Looks a time up: the indexes name a batch, and the batch is read for the record.

import { offsetOfTimestamp, type TimestampedOffset } from '../../protocol/records/record.ts'
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
