// Looks entries of a pack up by neighbouring offsets: what stands next, what stood before, and how many there were.

import type { Pack } from './pack.ts'
import type { Frame } from './pack-frames.ts'

/** The entry with the smallest offset that is not below `offset`; -1 where there is none. */
export function entryFrom(pack: Pack, offset: number): number {
  for (let index = Math.max(0, pack.frameOf(offset)); index < pack.frameCount; index++) {
    const frame = pack.frame(index)
    const record = recordFrom(frame, offset)
    if (record < frame.entries.length) return frame.entries[record]!
  }
  return -1
}

/** The entry with the largest offset below `offset`; -1 where there is none. */
export function entryBefore(pack: Pack, offset: number): number {
  for (let index = pack.frameOf(offset - 1); index >= 0; index--) {
    const frame = pack.frame(index)
    const record = recordFrom(frame, offset) - 1
    if (record >= 0) return frame.entries[record]!
  }
  return -1
}

/**
 * How many revisions a key had below an offset at most. What a keep rule took from in front of it only the revision behind
 * it can tell, for there may be none left below.
 */
export function countBelow(pack: Pack, ordinal: number, offset: number): number {
  if (ordinal < 0) return 0
  const { firstEntries } = pack.keys()
  const entry = pack.newestOf(ordinal, offset)
  const next = entry < 0 ? firstEntries[ordinal]! : entry + 1
  if (next < firstEntries[ordinal + 1]!) return pack.revOf(next) - 1
  return entry < 0 ? 0 : pack.revOf(entry)
}

/** The first record of a frame that is not below an offset; behind the last where all are. */
function recordFrom(frame: Frame, offset: number): number {
  const at = frame.batchOf(offset)
  if (at === frame.batchCount) return frame.entries.length
  const wanted = offset - frame.headers[at]!.baseOffset
  let low = frame.firstRecords[at]!
  for (let high = frame.firstRecords[at + 1]!; low < high; ) {
    const middle = (low + high) >> 1
    if (frame.offsetDeltas[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
