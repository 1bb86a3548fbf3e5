// Where a log misses offsets: compaction was there, and what stood below a record is perhaps not what stood there last.

import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import type { Turns } from './reading.ts'

const sliceBytes = 32 * 1024

/** The last missing offset of each gap within `[from, to)`, ascending. */
export async function gapsWithin(log: Log, from: number, to: number, turns: Turns): Promise<number[]> {
  const gaps: number[] = []
  const there = (at: number) => Math.max(at, log.logStartOffset)
  for (let at = there(from); at < to && !turns.isOver(); at = there(at)) {
    const lease = log.read(at, sliceBytes, log.logEndOffset, true)
    try {
      const next = gapsAmong(lease.bytes, at, gaps)
      at = next === at ? to : next
    } finally {
      lease.release()
    }
    await turns.rest()
  }
  return gaps
}

/** Of batches that were read from an offset on; where to read on. */
function gapsAmong(bytes: Buffer, from: number, gaps: number[]): number {
  let next = from
  for (const position of batch.iterateBatches(bytes)) {
    const base = batch.baseOffset(bytes, position)
    const end = batch.nextOffset(bytes, position)
    if (base > next) gaps.push(base - 1)
    if (batch.recordCount(bytes, position) < end - base) {
      let expected = Math.max(base, next)
      for (const { offset } of readRecords(bytes, position)) {
        if (offset > expected) gaps.push(offset - 1)
        expected = Math.max(expected, offset + 1)
      }
      if (expected < end) gaps.push(end - 1)
    }
    next = Math.max(next, end)
  }
  return next
}
