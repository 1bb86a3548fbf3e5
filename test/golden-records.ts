// Describes record batches as the Java reader did for test/golden/record-batches: int64 as decimal strings, bytes in base64.

import * as batch from '../protocol/records/batch.ts'
import { codecName } from '../protocol/records/compression.ts'
import { controlType } from '../protocol/records/control.ts'
import * as legacy from '../protocol/records/legacy.ts'
import { readRecords, type StoredRecord, walkRecords } from '../protocol/records/record.ts'

export type Description = { validBytes: number; batches: Record<string, unknown>[] }

export function describeBatches(bytes: Buffer): Description {
  const batches: Record<string, unknown>[] = []
  let validBytes = 0
  for (const position of batch.iterateBatches(bytes)) {
    batches.push(batch.magic(bytes, position) === 2 ? describe(bytes, position) : describeLegacy(bytes, position))
    validBytes = position + batch.sizeInBytes(bytes, position)
  }
  return { validBytes, batches }
}

const base64 = (value: Buffer | null) => (value === null ? null : value.toString('base64'))

function describe(bytes: Buffer, position: number): Record<string, unknown> {
  // Offsets reach 2^63 here: taken exactly, where the broker is content with numbers.
  const baseOffset = bytes.readBigInt64BE(position)
  const baseTimestamp = bytes.readBigInt64BE(position + 27)
  const maxTimestamp = bytes.readBigInt64BE(position + 35)
  const lastOffset = baseOffset + BigInt(batch.lastOffsetDelta(bytes, position))
  const isLogAppendTime = batch.isLogAppendTime(bytes, position)
  const isControl = batch.isControl(bytes, position)
  const valid = batch.crcMatches(bytes, position)
  const description: Record<string, unknown> = {
    magic: 2,
    sizeInBytes: batch.sizeInBytes(bytes, position),
    baseOffset: `${baseOffset}`,
    lastOffset: `${lastOffset}`,
    nextOffset: `${lastOffset + 1n}`,
    crc: batch.crc(bytes, position),
    valid,
    codec: codecName(batch.codec(bytes, position)),
    timestampType: isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
    maxTimestamp: `${maxTimestamp}`,
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, position),
    baseTimestamp: `${baseTimestamp}`,
    isTransactional: batch.isTransactional(bytes, position),
    isControlBatch: isControl,
    deleteHorizonMs: batch.hasDeleteHorizon(bytes, position) ? `${baseTimestamp}` : null,
    producerId: `${bytes.readBigInt64BE(position + 43)}`,
    producerEpoch: batch.producerEpoch(bytes, position),
    baseSequence: batch.baseSequence(bytes, position),
    lastSequence: batch.lastSequence(bytes, position),
    count: batch.recordCount(bytes, position),
  }
  if (!valid) return description
  const records: Record<string, unknown>[] = []
  const cursor = walkRecords(bytes, position)
  for (const record of readRecords(bytes, position)) {
    cursor.next()
    const timestamp = isLogAppendTime ? maxTimestamp : baseTimestamp + BigInt(cursor.timestampDelta)
    records.push({
      offset: `${baseOffset + BigInt(cursor.offsetDelta)}`,
      timestamp: `${timestamp}`,
      key: base64(record.key),
      value: base64(record.value),
      headers: record.headers.map((header) => ({ key: header.key, value: base64(header.value) })),
      ...(isControl ? { controlType: controlType(record.key) } : {}),
    })
  }
  return { ...description, records }
}

function describeLegacy(bytes: Buffer, position: number): Record<string, unknown> {
  const magic = batch.magic(bytes, position)
  const valid = legacy.crcMatches(bytes, position)
  const records = valid ? legacy.readLegacyRecords(bytes, position) : []
  const lastOffset = batch.baseOffset(bytes, position)
  const describeRecord = (record: StoredRecord) => ({
    offset: `${record.offset}`,
    ...(magic === 1 ? { timestamp: `${record.timestamp}` } : {}),
    key: base64(record.key),
    value: base64(record.value),
  })
  return {
    magic,
    sizeInBytes: batch.sizeInBytes(bytes, position),
    baseOffset: `${records[0]?.offset ?? lastOffset}`,
    lastOffset: `${lastOffset}`,
    nextOffset: `${lastOffset + 1}`,
    crc: legacy.crc(bytes, position),
    valid,
    codec: codecName(legacy.codec(bytes, position)),
    timestampType: legacyTimestampType(bytes, position),
    maxTimestamp: `${legacy.timestamp(bytes, position)}`,
    ...(valid ? { records: records.map(describeRecord) } : {}),
  }
}

function legacyTimestampType(bytes: Buffer, position: number): string {
  if (batch.magic(bytes, position) === 0) return 'NoTimestampType'
  return legacy.isLogAppendTime(bytes, position) ? 'LogAppendTime' : 'CreateTime'
}
