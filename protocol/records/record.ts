// The records inside a batch: walked in place, read as values, written.
//
//   length varint | attributes int8 | timestamp delta varlong | offset delta varint
//   key length varint (-1 = null) | key | value length varint (-1 = null) | value
//   header count varint | { key length varint | key | value length varint (-1 = null) | value }*
//
// All numbers are zigzag varints (protocol/varint.ts). Nothing is made from a length or a count before the bytes for it
// are known to be there.

import { ProtocolViolation } from '../errors.ts'
import { Cursor, sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../varint.ts'
import * as batch from './batch.ts'
import { decompress } from './compression.ts'
import { ownRoom, type Room, reusedRoom } from './room.ts'

export type RecordHeader = { key: string; value: Buffer | null }

/** A record as read. `key` and `value` are views: they live as long as the bytes they were read from. */
export type StoredRecord = {
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
}

/** What a batch may unpack to unless the caller says otherwise: what a request may bring unpacked. Kafka has no limit. */
export const unpackedBytesMaxDefault = 100 * 1024 * 1024

/**
 * Walks unpacked records without allocating. After `next()` answered true the fields describe the record it stands on;
 * false means that the declared number of records filled the bytes exactly. Anything else is a ProtocolViolation.
 */
export class RecordCursor {
  readonly #cursor = new Cursor(Buffer.alloc(0))
  #bytes: Buffer = Buffer.alloc(0)
  #count = 0
  /** The index of the record in its batch. */
  index = -1
  timestampDelta = 0
  offsetDelta = 0
  keyStart = 0
  /** -1 is null. */
  keyLength = -1
  valueStart = 0
  /** -1 is null. */
  valueLength = -1
  headerCount = 0
  #headersStart = 0
  /** Where the record starts (its length varint) and ends. */
  start = 0
  end = 0
  /** What its length varint says. */
  byteCount = 0

  /** Stands before the first of `count` records in `bytes[start … end)`. */
  reset(bytes: Buffer, start: number, end: number, count: number): this {
    if (count < 0) throw new ProtocolViolation(`a batch of ${count} records`)
    this.#cursor.reset(bytes, start, end)
    this.#bytes = bytes
    this.#count = count
    this.index = -1
    return this
  }

  next(): boolean {
    const cursor = this.#cursor
    if (++this.index >= this.#count) {
      if (cursor.remaining !== 0) throw new ProtocolViolation('more bytes than the declared records fill')
      return false
    }
    this.start = cursor.position
    const length = cursor.varint()
    if (length < 0 || length > cursor.remaining) {
      throw new ProtocolViolation(`a record of ${length} bytes where ${cursor.remaining} are left`)
    }
    this.byteCount = length
    this.end = cursor.position + length
    cursor.int8()
    this.timestampDelta = cursor.varlong()
    this.offsetDelta = cursor.varint()
    this.keyLength = cursor.varint()
    this.keyStart = cursor.position
    if (this.keyLength > 0) cursor.skip(this.keyLength)
    this.valueLength = cursor.varint()
    this.valueStart = cursor.position
    if (this.valueLength > 0) cursor.skip(this.valueLength)
    this.headerCount = cursor.varint()
    this.#headersStart = cursor.position
    if (this.headerCount !== 0) this.#skipHeaders()
    if (cursor.position !== this.end) throw new ProtocolViolation('a record whose fields do not fill it')
    return true
  }

  #skipHeaders(): void {
    const cursor = this.#cursor
    // Two bytes are the least a header takes.
    if (this.headerCount < 0 || this.headerCount > cursor.remaining / 2) {
      throw new ProtocolViolation(`${this.headerCount} headers where ${cursor.remaining} bytes are left`)
    }
    for (let left = this.headerCount; left > 0; left--) {
      cursor.skip(cursor.varint())
      const valueLength = cursor.varint()
      if (valueLength > 0) cursor.skip(valueLength)
    }
  }

  /** The unpacked records that positions count in. */
  get bytes(): Buffer {
    return this.#bytes
  }

  key(): Buffer | null {
    return this.keyLength < 0 ? null : this.#bytes.subarray(this.keyStart, this.keyStart + this.keyLength)
  }

  value(): Buffer | null {
    return this.valueLength < 0 ? null : this.#bytes.subarray(this.valueStart, this.valueStart + this.valueLength)
  }

  headers(): RecordHeader[] {
    const headers: RecordHeader[] = []
    if (this.headerCount === 0) return headers
    const bytes = this.#bytes
    const cursor = new Cursor(bytes, this.#headersStart, this.end)
    for (let left = this.headerCount; left > 0; left--) {
      const keyLength = cursor.varint()
      const key = bytes.toString('utf8', cursor.position, cursor.position + keyLength)
      cursor.skip(keyLength)
      const length = cursor.varint()
      const value = length < 0 ? null : bytes.subarray(cursor.position, cursor.position + length)
      if (value) cursor.skip(length)
      headers.push({ key, value })
    }
    return headers
  }
}

/** The records of the batch at `position`, unpacked: a view where no codec is set, bytes in `room` otherwise. */
export function unpackedRecords(
  bytes: Buffer,
  position: number,
  unpackedBytesMax = unpackedBytesMaxDefault,
  room: Room = ownRoom,
): Buffer {
  const packed = bytes.subarray(position + batch.headerBytes, position + batch.sizeInBytes(bytes, position))
  const codec = batch.codec(bytes, position)
  return codec === 0 ? packed : decompress(codec, packed, unpackedBytesMax, 2, room)
}

/** A cursor before the first record of the batch at `position`. */
export function walkRecords(
  bytes: Buffer,
  position: number,
  unpackedBytesMax = unpackedBytesMaxDefault,
  cursor = new RecordCursor(),
  room: Room = ownRoom,
): RecordCursor {
  const count = batch.recordCount(bytes, position)
  if (batch.codec(bytes, position) === 0) {
    const start = position + batch.headerBytes
    return cursor.reset(bytes, start, position + batch.sizeInBytes(bytes, position), count)
  }
  const records = unpackedRecords(bytes, position, unpackedBytesMax, room)
  return cursor.reset(records, 0, records.length, count)
}

/** The records of the batch at `position`, one at a time. */
export function* readRecords(
  bytes: Buffer,
  position: number,
  unpackedBytesMax = unpackedBytesMaxDefault,
): Generator<StoredRecord, void, undefined> {
  const cursor = walkRecords(bytes, position, unpackedBytesMax)
  const baseOffset = batch.baseOffset(bytes, position)
  const baseTimestamp = batch.baseTimestamp(bytes, position)
  const appendTime = batch.isLogAppendTime(bytes, position) ? batch.maxTimestamp(bytes, position) : undefined
  while (cursor.next()) {
    yield {
      offset: baseOffset + cursor.offsetDelta,
      timestamp: appendTime ?? baseTimestamp + cursor.timestampDelta,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    }
  }
}

export type TimestampedOffset = { offset: number; timestamp: number }

/**
 * The first record from `offsetMin` on that is at least as young as `timestamp`, or undefined. With the batch's own
 * maxTimestamp it finds the youngest record.
 */
export function offsetOfTimestamp(
  bytes: Buffer,
  position: number,
  timestamp: number,
  offsetMin = 0,
  unpackedBytesMax = unpackedBytesMaxDefault,
): TimestampedOffset | undefined {
  const maxTimestamp = batch.maxTimestamp(bytes, position)
  if (maxTimestamp < timestamp) return undefined
  const baseOffset = batch.baseOffset(bytes, position)
  const baseTimestamp = batch.baseTimestamp(bytes, position)
  const isLogAppendTime = batch.isLogAppendTime(bytes, position)
  const cursor = walkRecords(bytes, position, unpackedBytesMax, new RecordCursor(), reusedRoom)
  while (cursor.next()) {
    const offset = baseOffset + cursor.offsetDelta
    const found = isLogAppendTime ? maxTimestamp : baseTimestamp + cursor.timestampDelta
    if (offset >= offsetMin && found >= timestamp) return { offset, timestamp: found }
  }
  return undefined
}

/** A record to be written. */
export type NewRecord = {
  key?: Uint8Array | string | null
  value?: Uint8Array | string | null
  headers?: readonly { key: string; value: Uint8Array | string | null }[]
}

const sizeOfBytes = (value: Uint8Array | string | null | undefined): number => {
  if (value === null || value === undefined) return 1
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  return sizeOfVarint(length) + length
}

function writeBytes(bytes: Buffer, position: number, value: Uint8Array | string | null | undefined): number {
  if (value === null || value === undefined) return writeVarint(bytes, position, -1)
  if (typeof value !== 'string') {
    const at = writeVarint(bytes, position, value.length)
    bytes.set(value, at)
    return at + value.length
  }
  const at = writeVarint(bytes, position, Buffer.byteLength(value))
  return at + bytes.write(value, at)
}

/** Bytes of a record without the length in front of it. */
export function sizeOfRecordBody(record: NewRecord, offsetDelta: number, timestampDelta: number): number {
  const headers = record.headers ?? []
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta)
  size += sizeOfBytes(record.key) + sizeOfBytes(record.value) + sizeOfVarint(headers.length)
  for (const header of headers) size += sizeOfBytes(header.key) + sizeOfBytes(header.value)
  return size
}

/** Writes a record whose body has `bodySize` bytes and returns the position behind it. The room must be there. */
export function writeRecord(
  bytes: Buffer,
  position: number,
  record: NewRecord,
  offsetDelta: number,
  timestampDelta: number,
  bodySize: number,
): number {
  let at = writeVarint(bytes, position, bodySize)
  // No attribute of a record is defined yet.
  bytes[at++] = 0
  at = writeVarlong(bytes, at, timestampDelta)
  at = writeVarint(bytes, at, offsetDelta)
  at = writeBytes(bytes, at, record.key)
  at = writeBytes(bytes, at, record.value)
  const headers = record.headers ?? []
  at = writeVarint(bytes, at, headers.length)
  for (const header of headers) {
    at = writeBytes(bytes, at, header.key)
    at = writeBytes(bytes, at, header.value)
  }
  return at
}
