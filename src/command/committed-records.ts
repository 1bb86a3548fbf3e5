// Reads a partition as a consumer of committed records does: in order, without markers and without what was taken back.

import { Refusal } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { type RecordHeader, readRecords } from '../../protocol/records/record.ts'
import type { Partition } from '../broker/partition.ts'

/** Its bytes are its own: whoever takes it may wait. */
export type CommittedRecord = {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export type Portion = { readonly records: readonly CommittedRecord[]; readonly nextOffset: number }

const readBytes = 1024 * 1024

/** What can be read from an offset on, about so many bytes of it; undefined where there is nothing more for now. */
export function readCommitted(partition: Partition, from: number, bytesMax = readBytes): Portion | Refusal | undefined {
  const offset = Math.max(from, partition.logStartOffset)
  const read = partition.read(offset, bytesMax, true, true, true)
  if (read instanceof Refusal) return read
  const { lease, aborted = [] } = read
  try {
    const { bytes } = lease
    if (bytes.length === 0) return undefined
    const records: CommittedRecord[] = []
    let nextOffset = offset
    for (const position of batch.iterateBatches(bytes)) {
      nextOffset = batch.nextOffset(bytes, position)
      if (batch.isControl(bytes, position)) continue
      const first = batch.baseOffset(bytes, position)
      const producerId = batch.isTransactional(bytes, position) ? batch.producerId(bytes, position) : undefined
      const wasTakenBack = aborted.some(
        (of) => of.producerId === producerId && first >= of.firstOffset && first <= of.lastOffset,
      )
      if (wasTakenBack) continue
      for (const record of readRecords(bytes, position)) if (record.offset >= offset) records.push(copyOf(record))
    }
    return nextOffset === offset ? undefined : { records, nextOffset }
  } finally {
    lease.release()
  }
}

const copyOf = ({ offset, timestamp, key, value, headers }: CommittedRecord): CommittedRecord => ({
  offset,
  timestamp,
  key: key && Buffer.from(key),
  value: value && Buffer.from(value),
  headers: headers.map((header) => ({ key: header.key, value: header.value && Buffer.from(header.value) })),
})
