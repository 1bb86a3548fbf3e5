// A batch that a client sent, on its way into the log: staged where it will stay, and not yet part of anything.

import { type ErrorName, errors, Refusal } from '../../protocol/errors.ts'
import type { Records } from '../../protocol/reader.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecName } from '../../protocol/records/compression.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { type RecordError, validateProduceBatch, validateRecords } from '../../protocol/records/validate.ts'
import type { LogConfig } from './log-config.ts'

export type Appended = {
  baseOffset: number
  lastOffset: number
  /** Broker time where the topic has LogAppendTime, else -1. */
  logAppendTimeMs: number
  /** The batch had been appended before; the offsets are those it got then. */
  duplicate: boolean
}

export type AppendOptions = {
  leaderEpoch: number
  /** Broker time, ms. */
  now: number
  /** Version of the Produce request that brings the batch. */
  produceVersion?: number
}

/** An answer to a producer whose batch is not taken, record by record where that is known (KIP-467). */
export class BatchRefusal extends Refusal {
  readonly recordErrors: readonly RecordError[]
  constructor(error: ErrorName, message?: string | null, recordErrors: readonly RecordError[] = []) {
    super(error, message ?? errors[error].sentence)
    this.recordErrors = recordErrors
  }
}

/** What is wrong with the mere size of what a client sent. */
export function checkSize(byteCount: number, { maxMessageBytes, segmentBytes }: LogConfig): BatchRefusal | undefined {
  if (byteCount > maxMessageBytes && byteCount > batch.headerBytes) {
    const message = `A batch of ${byteCount} bytes; max.message.bytes of the topic is ${maxMessageBytes}.`
    return new BatchRefusal('MESSAGE_TOO_LARGE', message)
  }
  if (byteCount > segmentBytes) return new BatchRefusal('RECORD_LIST_TOO_LARGE')
  return byteCount < batch.headerBytes ? new BatchRefusal('INVALID_RECORD') : undefined
}

/** How many bytes of a batch tell its offset. */
const offsetBytes = 8
/** An offset that no client may send (it is refused) and no scan follows. */
const wrongMark = 0xfe
const unplacedMark = 0xff

/**
 * Takes away the offset that a client wrote, before the bytes come near a file: if the process dies while they are
 * checked, the next start must not find a batch there that was never taken.
 */
export function unplace(records: Records): void {
  const pieces = Buffer.isBuffer(records) ? [records] : records
  const mark = eachOffsetByte(pieces, (byte) => byte) === 0 ? unplacedMark : wrongMark
  eachOffsetByte(pieces, () => mark)
}

/** Replaces the first bytes; answers what they were, put together with or. */
function eachOffsetByte(pieces: readonly Buffer[], replace: (byte: number) => number): number {
  let left = offsetBytes
  let seen = 0
  for (const piece of pieces) {
    for (let i = 0; i < piece.length && left > 0; i++, left--) {
      seen |= piece[i]!
      piece[i] = replace(piece[i]!)
    }
    if (left === 0) break
  }
  return seen
}

/** What is wrong with a staged batch for a topic; puts its largest timestamp right where a producer was wrong. */
export function checkStaged(
  staged: Buffer,
  config: LogConfig,
  now: number,
  produceVersion: number | undefined,
): BatchRefusal | undefined {
  const error = validateProduceBatch(staged, 0, staged.length, {
    messageBytesMax: config.maxMessageBytes,
    produceVersion,
    baseOffset: batch.unplaced,
  })
  if (error !== 'NONE') return new BatchRefusal(error)
  const { logAppendTime } = config
  const verdict = validateRecords(staged, 0, {
    needsKeys: config.compacts || config.needsKeys === true,
    now,
    timestampBeforeMaxMs: logAppendTime ? Infinity : config.timestampBeforeMaxMs,
    timestampAfterMaxMs: logAppendTime ? Infinity : config.timestampAfterMaxMs,
    recordBytesMax: config.unpackedRecordBytesMax ?? Infinity,
  })
  if (verdict.error !== 'NONE') return new BatchRefusal(verdict.error, verdict.message, verdict.recordErrors)
  if (verdict.maxTimestamp !== batch.maxTimestamp(staged, 0)) batch.setMaxTimestamp(staged, 0, verdict.maxTimestamp)
  return undefined
}

/** The same records in another codec (`compression.type` of the topic). */
export function repack(bytes: Buffer, codec: number): Buffer {
  return encodeBatch({
    records: readRecords(bytes, 0),
    baseOffset: batch.baseOffset(bytes, 0),
    codec: codecName(codec),
    producerId: batch.producerId(bytes, 0),
    producerEpoch: batch.producerEpoch(bytes, 0),
    baseSequence: batch.baseSequence(bytes, 0),
    isTransactional: batch.isTransactional(bytes, 0),
  })
}
