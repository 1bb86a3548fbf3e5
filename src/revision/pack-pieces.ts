// Batches as a pack gives them back: records written anew from their parts, in pieces that no client finds too large.

import { crc32c } from '../../protocol/crc32c.ts'
import * as batch from '../../protocol/records/batch.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../../protocol/varint.ts'
import { type FrameHeader, headerOf, writeFrameHeader } from './pack-frames.ts'

/** What a packed batch is cut into: a few kilobytes of gzip may be thirty megabytes, and clients have limits. */
export const pieceBytesMax = 1024 * 1024
const crcFrom = 21
const codecMask = 0x07
const logAppendBit = 0x08

/** A record in parts. `headers`: from its header count on; undefined: it has none. Null: a null key, a null value. */
export type RecordParts = {
  timestampDelta: number
  /** From the base offset of the batch that it came in. */
  offsetDelta: number
  key: Buffer | null
  value: Buffer | null
  headers: Buffer | undefined
}

const nothing = Buffer.alloc(0)
const lengthOf = (bytes: Buffer | null): number => (bytes === null ? -1 : bytes.length)
const room = (length: number): number => sizeOfVarint(length) + Math.max(0, length)

/** Bytes of a record without the length in front of it. */
export function bodyBytes(
  timestampDelta: number,
  offsetDelta: number,
  keyLength: number,
  valueLength: number,
  headerBytes: number,
): number {
  const numbers = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta)
  return numbers + room(keyLength) + room(valueLength) + Math.max(1, headerBytes)
}

const sizeOfRecord = ({ timestampDelta, key, value, headers }: RecordParts, offsetDelta: number): number => {
  const body = bodyBytes(timestampDelta, offsetDelta, lengthOf(key), lengthOf(value), headers?.length ?? 0)
  return sizeOfVarint(body) + body
}

/** Writes a record, which has `body` bytes behind its length, up to its value and answers where that begins. `keyLength` -1: a null key. */
export function writeHead(
  into: Buffer,
  at: number,
  body: number,
  timestampDelta: number,
  offsetDelta: number,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  valueLength: number,
): number {
  let to = writeVarint(into, at, body)
  into[to++] = 0
  to = writeVarlong(into, to, timestampDelta)
  to = writeVarint(into, to, offsetDelta)
  to = writeVarint(into, to, keyLength)
  if (keyLength > 0) {
    for (let i = 0; i < keyLength; i++) into[to + i] = key[keyStart + i]!
    to += keyLength
  }
  return writeVarint(into, to, valueLength)
}

function writeParts(into: Buffer, at: number, record: RecordParts, offsetDelta: number): number {
  const { timestampDelta, key, value, headers } = record
  const body = bodyBytes(timestampDelta, offsetDelta, lengthOf(key), lengthOf(value), headers?.length ?? 0)
  const keyBytes = key ?? nothing
  let to = writeHead(into, at, body, timestampDelta, offsetDelta, keyBytes, 0, lengthOf(key), lengthOf(value))
  if (value !== null) to += value.copy(into, to)
  if (headers !== undefined) return to + headers.copy(into, to)
  into[to++] = 0
  return to
}

/** A batch to be: its bytes (lent until the next one is made), its header, and which of the records it was made of. */
export type Piece = { bytes: Buffer; header: FrameHeader; first: number; end: number }

let scratch = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * The batch at `at`, with those of its records that are left: as it was where all are and it was not packed, else in pieces
 * without a codec. Offsets, timestamps, producer, epoch and sequences stay what they were.
 */
export function* piecesOf(bytes: Buffer, at: number, records: readonly RecordParts[]): Generator<Piece, void, void> {
  const source = headerOf(bytes, at)
  const isPacked = batch.codec(bytes, at) !== 0
  for (let first = 0; first < records.length; ) {
    const from = first === 0 ? 0 : records[first]!.offsetDelta
    let size: number = batch.headerBytes
    let end = first
    for (; end < records.length; end++) {
      const next = sizeOfRecord(records[end]!, records[end]!.offsetDelta - from)
      if (isPacked && end > first && size + next > pieceBytesMax) break
      size += next
    }
    yield piece(source, batch.recordCount(bytes, at), records, first, end, from, size)
    first = end
  }
}

function piece(
  source: FrameHeader,
  recordCount: number,
  records: readonly RecordParts[],
  first: number,
  end: number,
  from: number,
  size: number,
): Piece {
  if (scratch.length < size) scratch = Buffer.allocUnsafeSlow(2 * size)
  const isLast = end === records.length
  const header: FrameHeader = {
    ...source,
    baseOffset: source.baseOffset + from,
    lastOffsetDelta: (isLast ? source.lastOffsetDelta : records[end - 1]!.offsetDelta) - from,
    size,
    attributes: source.attributes & ~codecMask,
    baseSequence: source.baseSequence < 0 ? source.baseSequence : (source.baseSequence + from) & 0x7fff_ffff,
  }
  let to: number = batch.headerBytes
  let maxDelta = Number.NEGATIVE_INFINITY
  for (let i = first; i < end; i++) {
    const { timestampDelta, offsetDelta } = records[i]!
    to = writeParts(scratch, to, records[i]!, offsetDelta - from)
    if (timestampDelta > maxDelta) maxDelta = timestampDelta
  }
  const isWhole = end - first === recordCount
  if (!isWhole && !(source.attributes & logAppendBit)) header.maxTimestamp = source.baseTimestamp + maxDelta
  writeFrameHeader(scratch, 0, header, end - first)
  header.crc = crc32c(scratch, crcFrom, size)
  scratch.writeUInt32BE(header.crc, 17)
  return { bytes: scratch.subarray(0, size), header, first, end }
}
