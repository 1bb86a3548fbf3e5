// Which neighbours are packed together: those that have been closed long enough, and smaller packs right before them, so that a
// partition is a few large packs in the end. Each record is packed anew as often as its pack grows by half.
//
//   ▓▓▓▓▓▓▓▓ ▓▓ ▓ │ ██ ██ │ ██ active         ▓ packed  █ as it came
//            └────┴──────┘ in one pack

import { Corruption, DamagedRecords } from '../../protocol/errors.ts'
import type { Segment } from '../log/segment.ts'

/** Bytes of batches, unpacked, that come into one pack, unless one segment alone has more. */
export const packBytesMax = 256 * 1024 * 1024

export type Choice = {
  /** It was closed long enough ago. */
  readonly isDue: (segment: Segment) => boolean
  /** Packing it did not fail before. */
  readonly isFit: (segment: Segment) => boolean
  /** Where own files of a branch begin, and those of its ancestors: no pack spans these. */
  readonly seams: readonly number[]
  /** How many bytes a byte of what is not packed becomes, about: more than one where producers compress. */
  readonly swelling?: number
  readonly bytesMax?: number | undefined
  /** How far apart its oldest and newest records may be, ms: retention takes a pack when the newest is old. */
  readonly spanMs?: number
}

function beganAt(segment: Segment): number {
  try {
    return (segment.length > 0 ? segment.batchAt(0) : segment).maxTimestamp
  } catch (cause) {
    // Whoever packs it says so.
    if (cause instanceof Corruption || cause instanceof DamagedRecords) return Number.NEGATIVE_INFINITY
    throw cause
  }
}

/** Whether two may be the ends of one pack. */
function areNear(first: Segment, last: Segment, spanMs: number): boolean {
  // Where keep rules have left nothing there is nothing that could be too old.
  if (spanMs === Number.POSITIVE_INFINITY || first.length === 0 || last.length === 0) return true
  return Math.max(first.maxTimestamp, last.maxTimestamp) - Math.min(beganAt(first), beganAt(last)) <= spanMs
}

type Belongs = (left: Segment, right: Segment) => boolean

const belonging =
  (seams: readonly number[]): Belongs =>
  (left, right) =>
    left.nextOffset === right.baseOffset && !seams.includes(right.baseOffset)

/** The next group to be packed; undefined where nothing waits. `segments`: those that may be, as the log has them. */
export function nextGroup(
  segments: readonly Segment[],
  { isDue, isFit, seams, swelling = 1, bytesMax = packBytesMax, spanMs = Number.POSITIVE_INFINITY }: Choice,
): Segment[] | undefined {
  const waits = (segment: Segment): boolean => !segment.isPacked && isDue(segment) && isFit(segment)
  const first = segments.findIndex(waits)
  if (first === -1) return undefined
  const belongs = belonging(seams)
  const bytesOf = (segment: Segment): number => segment.length * (segment.isPacked ? 1 : swelling)
  let end = first + 1
  let byteCount = bytesOf(segments[first]!)
  while (end < segments.length && waits(segments[end]!) && belongs(segments[end - 1]!, segments[end]!)) {
    if (byteCount + bytesOf(segments[end]!) > bytesMax || !areNear(segments[first]!, segments[end]!, spanMs)) break
    byteCount += bytesOf(segments[end]!)
    end++
  }
  let begin = first
  while (begin > 0) {
    const before = segments[begin - 1]!
    const isSmall = before.length <= 2 * byteCount && byteCount + before.length <= bytesMax
    const mayCome = before.isPacked && isFit(before) && isSmall && areNear(before, segments[end - 1]!, spanMs)
    if (!(mayCome && belongs(before, segments[begin]!))) break
    byteCount += before.length
    begin--
  }
  return segments.slice(begin, end)
}

/**
 * Neighbouring packs of which none is larger than twice the others together, the first such and as many as there are; undefined where
 * there are none. Those of which keep rules have left little, or nothing, would stay one by one for ever.
 */
export function nextMerge(
  segments: readonly Segment[],
  { isFit, seams, bytesMax = packBytesMax, spanMs = Number.POSITIVE_INFINITY }: Omit<Choice, 'isDue'>,
): Segment[] | undefined {
  const belongs = belonging(seams)
  const mayGo = (segment: Segment): boolean => segment.isPacked && isFit(segment)
  for (const [begin, first] of segments.entries()) {
    if (!mayGo(first)) continue
    let byteCount = first.length
    let largest = first.length
    let found = 0
    for (let end = begin + 1; end < segments.length; end++) {
      const segment = segments[end]!
      if (!(mayGo(segment) && belongs(segments[end - 1]!, segment) && areNear(first, segment, spanMs))) break
      byteCount += segment.length
      if (byteCount > bytesMax) break
      largest = Math.max(largest, segment.length)
      if (largest <= 2 * (byteCount - largest)) found = end + 1
    }
    if (found > 0) return segments.slice(begin, found)
  }
  return undefined
}
