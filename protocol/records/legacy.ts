// The message formats before record batches (magic 0 and 1), which brokers wrote until 0.11. Only read: no client we
// know writes them to a broker that has Produce 3, and Kafka itself stopped writing them in 4.0 (KIP-724).
//
//   offset int64 | size int32 | crc uint32 | magic int8 | attributes int8 | [timestamp int64, magic 1]
//   key length int32 (-1 = null) | key | value length int32 (-1 = null) | value
//
// crc is CRC-32 (IEEE) of magic to the end. Attributes: 0-2 codec, 3 log-append time (magic 1). A packed message is a
// wrapper whose value holds messages. It carries the offset of the last of them; those inside carry their own in magic 0
// and count relative to each other in magic 1 (KIP-31).

import { crc32 } from 'node:zlib'
import { ProtocolViolation } from '../errors.ts'
import * as batch from './batch.ts'
import { decompress } from './compression.ts'
import { type StoredRecord, unpackedBytesMaxDefault } from './record.ts'

const crcAt = 12
const magicAt = 16
const attributesAt = 17
const timestampAt = 18

export const codec = (b: Buffer, p: number): number => b[p + attributesAt]! & 0x07
export const isLogAppendTime = (b: Buffer, p: number): boolean =>
  batch.magic(b, p) === 1 && (b[p + attributesAt]! & 0x08) !== 0
export const crc = (b: Buffer, p: number): number => b.readUInt32BE(p + crcAt)
export const crcMatches = (b: Buffer, p: number): boolean =>
  crc32(b.subarray(p + magicAt, p + batch.sizeInBytes(b, p))) === crc(b, p)
/** The message's own time, for a wrapper the youngest inside; -1 in magic 0. */
export const timestamp = (b: Buffer, p: number): number =>
  batch.magic(b, p) === 0 ? batch.noTimestamp : Number(b.readBigInt64BE(p + timestampAt))

/** The records of the message at `p`, which `batch.sizeAt` found complete: one, or those a wrapper holds. */
export function readLegacyRecords(b: Buffer, p: number, unpackedBytesMax = unpackedBytesMaxDefault): StoredRecord[] {
  const message = readMessage(b, p)
  const codecNumber = codec(b, p)
  if (codecNumber === 0) return [message]
  if (!message.value) throw new ProtocolViolation('a packed message without a value')
  const inner = decompress(codecNumber, message.value, unpackedBytesMax, batch.magic(b, p))
  const records: StoredRecord[] = []
  for (const position of batch.iterateBatches(inner)) {
    if (batch.magic(inner, position) !== batch.magic(b, p) || codec(inner, position) !== 0) {
      throw new ProtocolViolation('a packed message holds one of another format or another packed one')
    }
    records.push(readMessage(inner, position))
  }
  const last = records.at(-1)
  if (!last) throw new ProtocolViolation('a packed message holds none')
  if (batch.magic(b, p) === 1) {
    const shift = message.offset - last.offset
    for (const record of records) {
      record.offset += shift
      if (isLogAppendTime(b, p)) record.timestamp = message.timestamp
    }
  }
  return records
}

function readMessage(b: Buffer, p: number): StoredRecord {
  const end = p + batch.sizeInBytes(b, p)
  const keyAt = p + (batch.magic(b, p) === 0 ? timestampAt : timestampAt + 8)
  const key = readBytes(b, keyAt, end)
  const value = readBytes(b, keyAt + 4 + (key?.length ?? 0), end)
  return { offset: batch.baseOffset(b, p), timestamp: timestamp(b, p), key, value, headers: [] }
}

function readBytes(b: Buffer, p: number, end: number): Buffer | null {
  if (end - p < 4) throw new ProtocolViolation('a message is cut short')
  const length = b.readInt32BE(p)
  if (length < 0) return null
  if (length > end - p - 4) throw new ProtocolViolation(`${length} bytes wanted, ${end - p - 4} left`)
  return b.subarray(p + 4, p + 4 + length)
}
