// Which segment of a log holds an offset.

import type { Segment } from './segment.ts'

/** Index of the last segment that begins at or below an offset; 0 if none does. */
export function segmentIndexOf(segments: readonly Segment[], offset: number): number {
  let low = 0
  for (let high = segments.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1
    if (segments[middle]!.baseOffset <= offset) low = middle
    else high = middle - 1
  }
  return low
}
