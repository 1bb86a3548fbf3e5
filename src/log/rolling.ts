// When an active segment has taken enough, and what comes next begins another one.

import * as batch from '../../protocol/records/batch.ts'
import { borrow } from '../storage/file.ts'
import type { LogConfig } from './log-config.ts'
import type { Segment } from './segment.ts'

const relativeOffsetMax = 0x7fff_ffff

/** Whether it takes no more: not `byteCount` bytes, with as many records perhaps, or nothing at all at its age. */
export function isOver(
  segment: Segment,
  byteCount: number,
  { segmentBytes, segmentMs }: Pick<LogConfig, 'segmentBytes' | 'segmentMs'>,
  now: number,
): boolean {
  if (segment.isEmpty) return false
  const isFull = segment.length + byteCount > segmentBytes
  const isFar = segment.nextOffset - segment.baseOffset > relativeOffsetMax - byteCount
  return isFull || isFar || now - beganAt(segment, now) > segmentMs
}

/**
 * When its first batch came. Of one that was opened since then its records tell, as far as they lie in the past: else it would
 * never be old enough where a broker is started again and again.
 */
function beganAt(segment: Segment, now: number): number {
  segment.firstAppendAt ??= Math.min(now, timeOfFirst(segment) ?? now)
  return segment.firstAppendAt
}

function timeOfFirst(segment: Segment): number | undefined {
  const timestamp = borrow(segment.read(0, batch.headerBytes), (bytes) =>
    bytes.length < batch.headerBytes ? batch.noTimestamp : batch.maxTimestamp(bytes, 0),
  )
  return timestamp < 0 ? undefined : timestamp
}
