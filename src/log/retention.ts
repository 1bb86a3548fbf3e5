// Which segments retention takes: whole ones, the oldest first, by time and by bytes.

import type { LogConfig } from './log-config.ts'
import type { Segment } from './segment.ts'

/**
 * When records of `[from, to)` came that are older than that; -1 where there are none. Retention counts from there: what somebody
 * has just brought here is not to be gone at once, however old it is.
 */
export type BroughtAt = (from: number, to: number) => number

/**
 * A time of a segment's records; where they bear none, when the first of them came in the life of this process, or the last of all
 * before.
 */
export const timeOf = (timestamp: number, segment: Segment, now: number): number =>
  timestamp >= 0 ? timestamp : (segment.firstAppendAt ?? segment.writtenAt ?? now)

export function expiredSegments(
  segments: readonly Segment[],
  config: Pick<LogConfig, 'deletes' | 'retentionMs' | 'retentionBytes'>,
  now: number,
  broughtAt: BroughtAt = () => -1,
): Segment[] {
  const { deletes, retentionMs, retentionBytes } = config
  if (!deletes) return []
  let excess = segments.reduce((sum, { storedBytes }) => sum + storedBytes, 0) - retentionBytes
  const isExpired = (segment: Segment): boolean => {
    if (segment.isEmpty) return false
    const newest = timeOf(segment.maxTimestamp, segment, now)
    const isPast = (time: number): boolean => now - time > retentionMs
    // Where keep rules have left nothing no record bears a time, and nothing is kept by it.
    const isBare = segment.isPacked && segment.maxTimestamp < 0 && segment.length === 0
    const wasPast = (isBare || isPast(newest)) && isPast(broughtAt(segment.baseOffset, segment.nextOffset))
    const isOld = retentionMs >= 0 && wasPast
    const isOver = retentionBytes >= 0 && excess >= segment.storedBytes
    if (isOver) excess -= segment.storedBytes
    return isOld || isOver
  }
  const kept = segments.findIndex((segment) => !isExpired(segment))
  return kept === -1 ? [...segments] : segments.slice(0, kept)
}
