// Walks the batches of a segment from an offset on, as many bytes as are asked for, whatever the file behind it is.

import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { RecordCursor } from '../../protocol/records/record.ts'
import type { Segment } from '../log/segment.ts'
import { mustBeSound } from '../log/soundness.ts'
import { borrow } from '../storage/file.ts'

/** Read in one go. */
const windowBytes = 256 * 1024

/**
 * Visits batches from the one that holds `from` on, those that end at or below `to`, until `visit` answers true. Answers the
 * offset behind the last that it visited, `to` where there was nothing more. Throws DamagedRecords where there is no batch. `checks`: and
 * where the first of them fails its checksum; ends in front of a later one that does.
 */
export function walkBatches(
  segment: Segment,
  from: number,
  to: number,
  visit: (bytes: Buffer, position: number) => boolean,
  checks = false,
): number {
  let next = from
  let place = segment.find(from)?.position
  if (place === undefined) return Math.min(to, Math.max(from, segment.nextOffset))
  let wanted = windowBytes
  while (place < segment.length) {
    const start = place
    const isOver = borrow(segment.read(start, wanted), (bytes) => {
      for (let at = 0; ; at = place! - start) {
        const left = bytes.length - at
        const size = left < batch.headerBytes ? batch.headerBytes : batch.sizeInBytes(bytes, at)
        if (size < batch.headerBytes) throw new DamagedRecords(`${segment.path}: no batch at byte ${place}`)
        if (size > left) {
          // Cut by the window: the next one begins here and is large enough.
          wanted = Math.max(windowBytes, size)
          return at === 0 && left >= Math.min(wanted, segment.length - start)
        }
        if (batch.nextOffset(bytes, at) > to) return true
        // What is in front of it counts, and whoever comes back for more is told.
        if (checks && next > from && !batch.crcMatches(bytes, at)) return true
        if (checks) mustBeSound(bytes, at, segment.path)
        place! += size
        next = batch.nextOffset(bytes, at)
        if (visit(bytes, at)) return true
        if (place! >= segment.length) return true
      }
    })
    if (isOver) break
  }
  return place >= segment.length ? Math.min(to, Math.max(next, segment.nextOffset)) : next
}

/** The time of the record that a cursor stands on. */
export const timestampOf = (bytes: Buffer, position: number, { timestampDelta }: RecordCursor): number =>
  batch.isLogAppendTime(bytes, position)
    ? batch.maxTimestamp(bytes, position)
    : batch.baseTimestamp(bytes, position) + timestampDelta
