// What a producer may send. The answers and their order are those of Kafka 4.4.0, asked with each of these batches:
// first the checks of the request, then those of the log, then those of every record. Where we are stricter, it says so.

import { type ErrorName, ProtocolViolation } from '../errors.ts'
import * as batch from './batch.ts'
import { CompressionError, codecs, DecompressionLimit, UnsupportedCompression } from './compression.ts'
import { RecordCursor, unpackedBytesMaxDefault, walkRecords } from './record.ts'
import { reusedRoom } from './room.ts'

const zstd = codecs.indexOf('zstd')
const zstdSinceProduce = 7

export type BatchLimits = {
  /** `max.message.bytes` of the topic. */
  messageBytesMax: number
  /** Version of the Produce request; below 7 clients do not know zstd. */
  produceVersion?: number | undefined
  /** What the base offset must be; default 0, as clients send it. */
  baseOffset?: number
}

/** Checks the bytes a producer sent for one partition without unpacking records. 'NONE' is good. */
export function validateProduceBatch(bytes: Uint8Array, start: number, end: number, limits: BatchLimits): ErrorName {
  const size = batch.sizeAt(bytes, start, end)
  if (size < 0) return 'CORRUPT_MESSAGE'
  // No batch, an incomplete one, one of the old formats.
  if (size === 0 || batch.magic(bytes, start) !== 2) return 'INVALID_RECORD'
  const codec = batch.codec(bytes, start)
  if (codec === zstd && (limits.produceVersion ?? zstdSinceProduce) < zstdSinceProduce) {
    return 'UNSUPPORTED_COMPRESSION_TYPE'
  }
  // Exactly one batch. Kafka cuts an incomplete second one off; we refuse it with the others.
  if (size !== end - start) return batch.sizeAt(bytes, start + size, end) < 0 ? 'CORRUPT_MESSAGE' : 'INVALID_RECORD'
  if (batch.baseOffset(bytes, start) !== (limits.baseOffset ?? 0)) return 'INVALID_RECORD'
  if (size > limits.messageBytesMax) return 'MESSAGE_TOO_LARGE'
  if (!batch.crcMatches(bytes, start)) return 'CORRUPT_MESSAGE'
  // Kafka meets an exception here and answers UNKNOWN_SERVER_ERROR.
  if (codec >= codecs.length) return 'UNSUPPORTED_COMPRESSION_TYPE'
  const count = batch.recordCount(bytes, start)
  if (count <= 0 || batch.lastOffsetDelta(bytes, start) !== count - 1) return 'INVALID_RECORD'
  if (batch.isControl(bytes, start)) return 'INVALID_RECORD'
  if (batch.hasProducerId(bytes, start) && batch.baseSequence(bytes, start) < 0) return 'INVALID_RECORD'
  // Ours to set. Kafka refuses it only where the topic has that kind of time, and clears the bit elsewhere.
  if (batch.isLogAppendTime(bytes, start)) return 'INVALID_TIMESTAMP'
  return 'NONE'
}

export type RecordLimits = {
  /** `cleanup.policy` holds compact: a record without a key could never be compacted. */
  needsKeys?: boolean
  /** Broker time; with `create` timestamps records must lie within the two distances from it. */
  now?: number
  /** `message.timestamp.before.max.ms`. */
  timestampBeforeMaxMs?: number
  /** `message.timestamp.after.max.ms`. */
  timestampAfterMaxMs?: number
  unpackedBytesMax?: number
  /** `max.decompressed.message.bytes`: the largest single record of a packed batch. */
  recordBytesMax?: number
}

export type RecordError = { index: number; message: string }

export type RecordsVerdict = {
  error: ErrorName
  /** Why, in a sentence, where the batch as a whole is refused. */
  message: string | null
  /** What Produce 8 and later tell the client, record by record. */
  recordErrors: RecordError[]
  /** The youngest record's time as found, not as declared. Differs it from the header's, setMaxTimestamp puts it right. */
  maxTimestamp: number
}

const refused = (error: ErrorName, message: string): RecordsVerdict => ({
  error,
  message,
  recordErrors: [],
  maxTimestamp: batch.noTimestamp,
})

// One walk at a time: a cursor for all of them.
const cursor = new RecordCursor()

/**
 * Walks the records of a batch that passed validateProduceBatch: their number and lengths fill the batch exactly, their
 * offsets count 0, 1, 2 … and each keeps to the limits of the topic. Kafka does this for every batch, unpacking it.
 */
export function validateRecords(bytes: Buffer, position: number, limits: RecordLimits): RecordsVerdict {
  try {
    return walk(bytes, position, limits)
  } catch (cause) {
    if (cause instanceof UnsupportedCompression) return refused('UNSUPPORTED_COMPRESSION_TYPE', cause.message)
    if (cause instanceof DecompressionLimit) return refused('MESSAGE_TOO_LARGE', cause.message)
    // Not CORRUPT_MESSAGE: the checksum was right, so sending the same bytes again would not help. (Kafka answers
    // UNKNOWN_SERVER_ERROR for packed bytes that do not unpack, INVALID_RECORD for the rest.)
    if (cause instanceof CompressionError || cause instanceof ProtocolViolation) {
      return refused('INVALID_RECORD', cause.message)
    }
    throw cause
  } finally {
    cursor.reset(noBytes, 0, 0, 0)
  }
}

const noBytes = Buffer.alloc(0)

function walk(bytes: Buffer, position: number, limits: RecordLimits): RecordsVerdict {
  const { needsKeys = false, now = 0, timestampBeforeMaxMs = Infinity, timestampAfterMaxMs = Infinity } = limits
  const baseTimestamp = batch.baseTimestamp(bytes, position)
  const oldest = now - timestampBeforeMaxMs
  const youngest = now + timestampAfterMaxMs
  let maxTimestamp = batch.noTimestamp
  let error: ErrorName = 'NONE'
  const recordErrors: RecordError[] = []
  const recordBytesMax = batch.codec(bytes, position) === 0 ? Infinity : (limits.recordBytesMax ?? Infinity)
  walkRecords(bytes, position, limits.unpackedBytesMax ?? unpackedBytesMaxDefault, cursor, reusedRoom)
  while (cursor.next()) {
    // Kafka stores an unpacked batch whose offsets do not count up as it is, holes and all, and fails on a packed one;
    // no client sends either, so we refuse both.
    if (cursor.offsetDelta !== cursor.index) throw new ProtocolViolation('offset deltas do not count up from 0')
    if (cursor.byteCount > recordBytesMax) {
      return refused('INVALID_RECORD', `A record of ${cursor.byteCount} bytes unpacked; ${recordBytesMax} is the most.`)
    }
    const timestamp = baseTimestamp + cursor.timestampDelta
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (needsKeys && cursor.keyLength < 0) {
      recordErrors.push({
        index: cursor.index,
        message: 'A topic that is compacted or keeps revisions cannot accept a record without a key.',
      })
      if (error === 'NONE') error = 'INVALID_RECORD'
    } else if ((timestamp < oldest || timestamp > youngest) && timestamp !== batch.noTimestamp) {
      const message = `Timestamp ${timestamp} is out of range: it should lie within [${oldest}, ${youngest}].`
      recordErrors.push({ index: cursor.index, message })
      // One bad time names the whole answer, whatever else is wrong (LogValidator.processRecordErrors).
      error = 'INVALID_TIMESTAMP'
    }
  }
  const message = error === 'NONE' ? null : 'One or more records have been rejected.'
  return { error, message, recordErrors, maxTimestamp }
}
