// A record batch (format 2) as it lies in bytes: one function per header field, so that the hot path reads what it needs
// and allocates nothing. Meant to be imported whole: `batch.baseOffset(bytes, position)`.
//
//    0 baseOffset int64             ┐ 0-16 lie outside the checksum: the broker assigns offset and epoch
//    8 batchLength int32            │ without reading the records again
//   12 partitionLeaderEpoch int32   │
//   16 magic int8 = 2               │
//   17 crc uint32                   ┘ CRC-32C of byte 21 to the end
//   21 attributes int16             0-2 codec, 3 log-append time, 4 transactional, 5 control, 6 delete horizon
//   23 lastOffsetDelta int32
//   27 baseTimestamp int64          the delete horizon where bit 6 is set
//   35 maxTimestamp int64           every record's time where bit 3 is set
//   43 producerId int64
//   51 producerEpoch int16
//   53 baseSequence int32
//   57 recordCount int32
//   61 records                      packed as one block where a codec is set
//
// Whoever reads a field has made sure that the header is there: `sizeAt` does it.

import { crc32c } from '../crc32c.ts'
import { ProtocolViolation } from '../errors.ts'

export const headerBytes = 61
/** Offset and length: what a batch has in front of the bytes that batchLength counts. */
export const overheadBytes = 12
/** What must be there to know size and format of a batch of any format. */
const bytesUpToMagic = 17
/** The smallest message of the oldest format: less is no batch at all. */
const sizeMin = 14
const attributesAt = 21

export const noTimestamp = -1
export const noProducerId = -1
export const noSequence = -1

const codecMask = 0x07
const logAppendBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20
const deleteHorizonBit = 0x40

const two32 = 0x1_0000_0000

const int16 = (b: Uint8Array, p: number): number => ((b[p]! << 24) >> 16) | b[p + 1]!
const int32 = (b: Uint8Array, p: number): number => (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
// Two halves instead of a BigInt: nine times cheaper, exact up to 2^53.
const int64 = (b: Uint8Array, p: number): number => int32(b, p) * two32 + (int32(b, p + 4) >>> 0)

function setInt16(b: Uint8Array, p: number, value: number): void {
  b[p] = value >> 8
  b[p + 1] = value
}
function setInt32(b: Uint8Array, p: number, value: number): void {
  b[p] = value >>> 24
  b[p + 1] = value >>> 16
  b[p + 2] = value >>> 8
  b[p + 3] = value
}
function setInt64(b: Uint8Array, p: number, value: number): void {
  setInt32(b, p, Math.floor(value / two32))
  setInt32(b, p + 4, value >>> 0)
}

export const baseOffset = (b: Uint8Array, p: number): number => int64(b, p)
export const batchLength = (b: Uint8Array, p: number): number => int32(b, p + 8)
export const sizeInBytes = (b: Uint8Array, p: number): number => overheadBytes + int32(b, p + 8)
export const partitionLeaderEpoch = (b: Uint8Array, p: number): number => int32(b, p + 12)
export const magic = (b: Uint8Array, p: number): number => (b[p + 16]! << 24) >> 24
export const crc = (b: Uint8Array, p: number): number => int32(b, p + 17) >>> 0
export const attributes = (b: Uint8Array, p: number): number => int16(b, p + attributesAt)
export const lastOffsetDelta = (b: Uint8Array, p: number): number => int32(b, p + 23)
export const baseTimestamp = (b: Uint8Array, p: number): number => int64(b, p + 27)
export const maxTimestamp = (b: Uint8Array, p: number): number => int64(b, p + 35)
export const producerId = (b: Uint8Array, p: number): number => int64(b, p + 43)
export const producerEpoch = (b: Uint8Array, p: number): number => int16(b, p + 51)
export const baseSequence = (b: Uint8Array, p: number): number => int32(b, p + 53)
export const recordCount = (b: Uint8Array, p: number): number => int32(b, p + 57)

export const lastOffset = (b: Uint8Array, p: number): number => baseOffset(b, p) + lastOffsetDelta(b, p)
export const nextOffset = (b: Uint8Array, p: number): number => lastOffset(b, p) + 1

/** The number of the codec, an index into `codecs` of compression.ts. */
export const codec = (b: Uint8Array, p: number): number => b[p + attributesAt + 1]! & codecMask
export const isLogAppendTime = (b: Uint8Array, p: number): boolean => (b[p + attributesAt + 1]! & logAppendBit) !== 0
export const isTransactional = (b: Uint8Array, p: number): boolean =>
  (b[p + attributesAt + 1]! & transactionalBit) !== 0
export const isControl = (b: Uint8Array, p: number): boolean => (b[p + attributesAt + 1]! & controlBit) !== 0
export const hasDeleteHorizon = (b: Uint8Array, p: number): boolean =>
  (b[p + attributesAt + 1]! & deleteHorizonBit) !== 0
export const hasProducerId = (b: Uint8Array, p: number): boolean => b[p + 43]! < 0x80

/** When tombstones and markers of this batch may go (KIP-534), or undefined while that is not decided. */
export const deleteHorizon = (b: Uint8Array, p: number): number | undefined =>
  hasDeleteHorizon(b, p) ? baseTimestamp(b, p) : undefined

/** Sequences count to 2^31-1 and go on with 0. */
export const lastSequence = (b: Uint8Array, p: number): number => {
  const first = baseSequence(b, p)
  return first === noSequence ? noSequence : (first + lastOffsetDelta(b, p)) & 0x7fff_ffff
}

export function crcMatches(b: Uint8Array, p: number): boolean {
  return crc32c(b, p + attributesAt, p + sizeInBytes(b, p)) === crc(b, p)
}

/** The offset of a batch that is not part of a log yet. No scan takes it for one that follows. */
export const unplaced = -1

/** The first byte last: a batch that was unplaced becomes one of the log by a single store. */
export function setBaseOffset(b: Uint8Array, p: number, offset: number): void {
  const high = Math.floor(offset / two32)
  setInt32(b, p + 4, offset >>> 0)
  b[p + 3] = high
  b[p + 2] = high >>> 8
  b[p + 1] = high >>> 16
  b[p] = high >>> 24
}
export const setPartitionLeaderEpoch = (b: Uint8Array, p: number, epoch: number): void => setInt32(b, p + 12, epoch)

export const writeCrc = (b: Uint8Array, p: number): void =>
  setInt32(b, p + 17, crc32c(b, p + attributesAt, p + sizeInBytes(b, p)))

/** The broker's clock becomes the time of every record (`message.timestamp.type=LogAppendTime`). */
export function setLogAppendTime(b: Uint8Array, p: number, timestamp: number): void {
  b[p + attributesAt + 1]! |= logAppendBit
  setInt64(b, p + 35, timestamp)
  writeCrc(b, p)
}

/** Puts right what a producer said about its own records; retention and look-ups by time rely on it. */
export function setMaxTimestamp(b: Uint8Array, p: number, timestamp: number): void {
  setInt64(b, p + 35, timestamp)
  writeCrc(b, p)
}

export type HeaderFields = {
  baseOffset?: number
  partitionLeaderEpoch?: number
  codec?: number
  isLogAppendTime?: boolean
  isTransactional?: boolean
  isControl?: boolean
  hasDeleteHorizon?: boolean
  lastOffsetDelta: number
  baseTimestamp: number
  maxTimestamp: number
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  recordCount: number
}

/** Writes the 61 bytes in front of records that already lie at `p + headerBytes` and end at `end`. */
export function writeHeader(b: Uint8Array, p: number, end: number, fields: HeaderFields): void {
  setInt64(b, p, fields.baseOffset ?? 0)
  setInt32(b, p + 8, end - p - overheadBytes)
  setInt32(b, p + 12, fields.partitionLeaderEpoch ?? -1)
  b[p + 16] = 2
  setInt16(
    b,
    p + attributesAt,
    (fields.codec ?? 0) |
      (fields.isLogAppendTime ? logAppendBit : 0) |
      (fields.isTransactional ? transactionalBit : 0) |
      (fields.isControl ? controlBit : 0) |
      (fields.hasDeleteHorizon ? deleteHorizonBit : 0),
  )
  setInt32(b, p + 23, fields.lastOffsetDelta)
  setInt64(b, p + 27, fields.baseTimestamp)
  setInt64(b, p + 35, fields.maxTimestamp)
  setInt64(b, p + 43, fields.producerId ?? noProducerId)
  setInt16(b, p + 51, fields.producerEpoch ?? -1)
  setInt32(b, p + 53, fields.baseSequence ?? noSequence)
  setInt32(b, p + 57, fields.recordCount)
  writeCrc(b, p)
}

/**
 * The size of the batch (of any format) at `p`; 0 where `end` comes before its end; -1 where the bytes are no batch.
 * A size above 0 promises the whole header of a format 2 batch.
 */
export function sizeAt(b: Uint8Array, p: number, end: number): number {
  if (end - p < bytesUpToMagic) return 0
  const size = sizeInBytes(b, p)
  const format = magic(b, p)
  if (size < sizeMin + overheadBytes || format < 0 || format > 2) return -1
  if (format === 2 && size < headerBytes) return -1
  return size <= end - p ? size : 0
}

/** The positions of the complete batches from `start` on. A cut tail ends the walk, as it does in every client. */
export function* iterateBatches(b: Uint8Array, start = 0, end = b.length): Generator<number, void, undefined> {
  let position = start
  while (true) {
    const size = sizeAt(b, position, end)
    if (size === 0) return
    if (size < 0) throw new ProtocolViolation(`no record batch at byte ${position}`)
    yield position
    position += size
  }
}
