// Reads a segment batch by batch without believing anything: how far it is whole, and what lies behind that.

import * as batch from '../../protocol/records/batch.ts'
import { borrow } from '../storage/file.ts'
import { walkPacked } from './packed.ts'
import type { Segment } from './segment.ts'

const scanBytes = 4 * 1024 * 1024
const zeros = Buffer.alloc(64 * 1024)
/** A segment holds no offsets further apart. */
const offsetsApartMax = 0x7fff_ffff

/** Whether a batch at `base` can stand where `expected` is next: only compaction leaves holes. */
export const follows = (base: number, expected: number, compactedOffset: number): boolean =>
  base === expected || (base > expected && base <= compactedOffset && base - expected <= offsetsApartMax)

/**
 * Walks the batches of a segment from byte `from` on, where `nextOffset` is next, and calls `visit` for each that is
 * whole, follows the one before and, where `check` asks for it, fits its checksum. Answers the position behind the last.
 * A packed segment is believed: it was verified before it got its name. Of its batches with records only headers are visited.
 */
export function scan(
  segment: Segment,
  nextOffset: number,
  compactedOffset: number,
  check: boolean,
  visit: (bytes: Buffer, at: number, position: number) => void,
  from = 0,
): number {
  if (segment.isPacked) return walkPacked(segment, from, visit)
  let position = from
  let expected = nextOffset
  let windowBytes = scanBytes
  for (;;) {
    const start = position
    const ended = borrow(segment.read(start, windowBytes), (bytes) => {
      for (let at = 0; ; at = position - start) {
        const hasHeader = at + batch.headerBytes <= bytes.length
        // Cut by the window, not by the file: read on from here.
        if (!hasHeader) return at === 0 || position + batch.headerBytes > segment.length
        const size = batch.sizeInBytes(bytes, at)
        const isBatch = size >= batch.headerBytes && batch.magic(bytes, at) === 2
        if (!isBatch || !follows(batch.baseOffset(bytes, at), expected, compactedOffset)) return true
        if (at + size > bytes.length) {
          if (position + size > segment.length || (at === 0 && windowBytes >= size)) return true
          windowBytes = Math.max(scanBytes, size)
          return false
        }
        if (check && !batch.crcMatches(bytes, at)) return true
        visit(bytes, at, position)
        expected = batch.nextOffset(bytes, at)
        position += size
      }
    })
    if (ended) return position
  }
}

export type Tail = {
  /** Bytes up to the last that is not zero: space is allocated ahead, and reads as zeros. */
  byteCount: number
  /** Whole batches are in it: no torn write looks like that. */
  isDamage: boolean
}

/** What lies at byte `end`, behind the last batch that is whole. The segment has been scanned up to there. */
export function tailOf(segment: Segment, end: number): Tail {
  const byteCount = usedBytes(segment, end)
  const expected = segment.nextOffset
  return { byteCount, isDamage: byteCount > 0 && nextBatch(segment, end, byteCount, expected) !== undefined }
}

function usedBytes(segment: Segment, from: number): number {
  let used = 0
  for (let position = from; position < segment.length; ) {
    position += borrow(segment.read(position, zeros.length), (bytes) => {
      if (!bytes.equals(zeros.subarray(0, bytes.length))) {
        used = position - from + bytes.findLastIndex((byte) => byte !== 0) + 1
      }
      return bytes.length
    })
  }
  return used
}

/**
 * Position of the first whole batch at or behind `from` that has a place in the log, `expected` being the next offset;
 * `byteCount`: how far to look. A batch inside a record, as of a copied log, has no offset above that.
 */
export function nextBatch(segment: Segment, from: number, byteCount: number, expected: number): number | undefined {
  const end = from + byteCount
  for (let position = from; position + batch.headerBytes <= end; ) {
    const windowEnd = Math.min(end, position + scanBytes)
    const found = borrow(segment.read(position, windowEnd - position), (bytes) => {
      for (let at = 0; at + batch.headerBytes <= bytes.length; at++) {
        // Whole where the next one is due, and yet not the next one: its first bytes, outside the checksum, are damaged.
        const lowest = position + at === from ? 0 : expected + 1
        if (looksLikeBatch(bytes, at, lowest) && isWhole(segment, position + at)) return position + at
      }
      position += Math.max(1, bytes.length - batch.headerBytes + 1)
      return undefined
    })
    if (found !== undefined) return found
  }
  return undefined
}

/** Cheap: nearly every position fails the first or the second test. An unplaced batch was never part of the log. */
function looksLikeBatch(bytes: Buffer, at: number, lowest: number): boolean {
  if (bytes[at] !== 0 || bytes[at + 22]! > 0x7f) return false
  const base = batch.baseOffset(bytes, at)
  if (base < lowest || base - lowest > offsetsApartMax) return false
  return batch.sizeInBytes(bytes, at) >= batch.headerBytes && batch.recordCount(bytes, at) >= 0
}

function isWhole(segment: Segment, position: number): boolean {
  const size = borrow(segment.read(position, batch.headerBytes), (bytes) => batch.sizeInBytes(bytes, 0))
  if (position + size > segment.length) return false
  return borrow(segment.read(position, size), (bytes) => bytes.length === size && batch.crcMatches(bytes, 0))
}
