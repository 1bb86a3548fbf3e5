// A batch written anew with all that its header says: of some of its records, or in another codec.

import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { type CodecName, codecName } from '../../protocol/records/compression.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record.ts'

/** `lastOffset`: of the new batch, whatever its records are. */
export function encodedLike(
  bytes: Buffer,
  records: Iterable<StoredRecord>,
  codec: CodecName,
  lastOffset: number,
): Buffer {
  const horizon = batch.deleteHorizon(bytes, 0)
  return encodeBatch({
    records,
    baseOffset: batch.baseOffset(bytes, 0),
    lastOffset,
    codec,
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, 0),
    producerId: batch.producerId(bytes, 0),
    producerEpoch: batch.producerEpoch(bytes, 0),
    baseSequence: batch.baseSequence(bytes, 0),
    isTransactional: batch.isTransactional(bytes, 0),
    ...(batch.isLogAppendTime(bytes, 0) ? { logAppendTime: batch.maxTimestamp(bytes, 0) } : {}),
    ...(horizon === undefined ? {} : { deleteHorizon: horizon }),
  })
}

/** The batches in another codec, but for markers and what is in it already. Bytes of a last one that is not whole go. */
export function inCodec(bytes: Buffer, codec: number): Buffer {
  const name = codecName(codec)
  const parts = [...batch.iterateBatches(bytes)].map((at) => {
    const one = bytes.subarray(at, at + batch.sizeInBytes(bytes, at))
    const stays = batch.isControl(one, 0) || batch.codec(one, 0) === codec || batch.recordCount(one, 0) === 0
    return stays ? one : encodedLike(one, readRecords(one, 0), name, batch.lastOffset(one, 0))
  })
  return Buffer.concat(parts)
}
