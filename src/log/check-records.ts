// Holds the records of a batch against what its header says of them.

import { Corruption, ProtocolViolation } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { CompressionError, UnsupportedCompression } from '../../protocol/records/compression.ts'
import { walkRecords } from '../../protocol/records/record.ts'

/** What is wrong with them. */
export function recordProblem(bytes: Buffer): string | undefined {
  try {
    const cursor = walkRecords(bytes, 0)
    let offset = -1
    let maxTimestamp = -1
    while (cursor.next()) {
      if (cursor.offsetDelta <= offset) return `record ${cursor.index} has no higher offset than the one before`
      offset = cursor.offsetDelta
      maxTimestamp = Math.max(maxTimestamp, batch.baseTimestamp(bytes, 0) + cursor.timestampDelta)
    }
    if (offset > batch.lastOffsetDelta(bytes, 0)) return 'the last record lies behind the last offset'
    const isShell = batch.recordCount(bytes, 0) === 0 // compaction left it its times
    if (!isShell && !batch.isLogAppendTime(bytes, 0) && maxTimestamp !== batch.maxTimestamp(bytes, 0)) {
      return `the largest timestamp is ${maxTimestamp}, not ${batch.maxTimestamp(bytes, 0)}`
    }
    return undefined
  } catch (cause) {
    if (cause instanceof UnsupportedCompression) return undefined // cannot be looked into here
    if (!(cause instanceof ProtocolViolation || cause instanceof CompressionError || cause instanceof Corruption)) {
      throw cause
    }
    return `the records cannot be read: ${cause.message}`
  }
}
