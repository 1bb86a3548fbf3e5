// Where the records below an offset end. Compaction and keep rules leave holes; one in front of a record every client
// crosses, one at the end of a log none does: there is nothing behind it that would say so.

import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { walkRecords } from '../../protocol/records/record.ts'
import { borrow } from '../storage/file.ts'
import { lostUpTo } from './inherited.ts'
import type { Log } from './log.ts'
import type { Found, Segment } from './segment.ts'

type Ended = Pick<Log, 'logStartOffset' | 'compactedOffset' | 'lost' | 'segments'>

/** One past the last record below `offset`, the start of the log where there is none: `offset` itself where nothing is missing in front of it. */
export function recordsEnd(log: Ended, offset: number): number {
  const { logStartOffset, compactedOffset, lost, segments } = log
  if (offset > Math.max(compactedOffset, lostUpTo(lost)) || offset <= logStartOffset) return offset
  for (let at = segments.length - 1; at >= 0; at--) {
    const segment = segments[at]!
    if (segment.baseOffset >= offset) continue
    if (segment.nextOffset <= logStartOffset) break
    const end = endWithin(segment, offset)
    if (end !== undefined) return Math.max(end, logStartOffset)
  }
  return logStartOffset
}

/** Looks at the last batch first, then from twice as far back each time: batches know who follows them only. */
function endWithin(segment: Segment, offset: number): number | undefined {
  const top = Math.min(offset, segment.nextOffset)
  let bound = top
  for (let back = 1; bound > segment.baseOffset; back *= 2) {
    const from = Math.max(segment.baseOffset, top - back)
    const end = lastEnd(segment, from, bound, offset)
    if (end !== undefined) return end
    bound = from
  }
  return undefined
}

/** Of the batches that begin below `bound`, from the one that holds `from` on. */
function lastEnd(segment: Segment, from: number, bound: number, offset: number): number | undefined {
  let end: number | undefined
  for (let found = segment.find(from); found !== undefined && found.baseOffset < bound; ) {
    end = endOf(segment, found, offset) ?? end
    const behind = found.position + found.byteCount
    found = behind < segment.length ? segment.batchAt(behind) : undefined
  }
  return end
}

/** One past the last record of a batch below an offset; undefined where none is left. */
function endOf(segment: Segment, { position, byteCount, nextOffset }: Found, offset: number): number | undefined {
  try {
    return borrow(segment.read(position, byteCount), (bytes) => {
      const base = batch.baseOffset(bytes, 0)
      if (batch.recordCount(bytes, 0) === nextOffset - base) return Math.min(nextOffset, offset)
      let end: number | undefined
      for (const cursor = walkRecords(bytes, 0); cursor.next() && base + cursor.offsetDelta < offset; ) {
        end = base + cursor.offsetDelta + 1
      }
      return end
    })
  } catch (cause) {
    // It cannot be read, so nobody gets over it either: it ends where it says.
    if (!(cause instanceof DamagedRecords)) throw cause
    return Math.min(nextOffset, offset)
  }
}
