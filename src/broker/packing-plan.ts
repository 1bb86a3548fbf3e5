// Which neighbours are packed together: those that have been closed long enough, and smaller packs right before them, so that a
// partition is a few large packs in the end. Each record is packed anew as often as its pack doubles.
//
//   ▓▓▓▓▓▓▓▓ ▓▓ ▓ │ ██ ██ │ ██ active         ▓ packed  █ as it came
//            └────┴──────┘ in one pack

import type { Segment } from '../log/segment.ts'

/** Bytes of batches that come into one pack, unless one segment alone has more. */
export const packBytesMax = 256 * 1024 * 1024

export type Choice = {
  /** It was closed long enough ago. */
  readonly isDue: (segment: Segment) => boolean
  /** Packing it did not fail before. */
  readonly isFit: (segment: Segment) => boolean
  /** Where own files of a branch begin, and those of its ancestors: no pack spans these. */
  readonly seams: readonly number[]
}

const bytesOf = (segments: readonly Segment[]): number => segments.reduce((sum, { length }) => sum + length, 0)

/** The next group to be packed; undefined where nothing waits. `segments`: those that may be, as the log has them. */
export function nextGroup(segments: readonly Segment[], { isDue, isFit, seams }: Choice): Segment[] | undefined {
  const waits = (segment: Segment): boolean => !segment.isPacked && isDue(segment) && isFit(segment)
  const first = segments.findIndex(waits)
  if (first === -1) return undefined
  const belongs = (left: Segment, right: Segment): boolean =>
    left.nextOffset === right.baseOffset && !seams.includes(right.baseOffset)
  let end = first + 1
  let byteCount = segments[first]!.length
  while (end < segments.length && waits(segments[end]!) && belongs(segments[end - 1]!, segments[end]!)) {
    if (byteCount + segments[end]!.length > packBytesMax) break
    byteCount += segments[end]!.length
    end++
  }
  let begin = first
  while (begin > 0) {
    const before = segments[begin - 1]!
    const isSmall =
      before.length <= 2 * bytesOf(segments.slice(begin, end)) && byteCount + before.length <= packBytesMax
    if (!(before.isPacked && isFit(before) && isSmall && belongs(before, segments[begin]!))) break
    byteCount += before.length
    begin--
  }
  return segments.slice(begin, end)
}
