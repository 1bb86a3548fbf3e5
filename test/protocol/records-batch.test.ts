// Record batches: what is built is read back, what the broker patches stays valid, what is cut or lies is found out.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolViolation } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { BatchBuilder, type BatchOptions, type BatchRecord, encodeBatch } from '../../protocol/records/builder.ts'
import { codecs } from '../../protocol/records/compression.ts'
import { offsetOfTimestamp, RecordCursor, readRecords, walkRecords } from '../../protocol/records/record.ts'

const now = 1_700_000_000_000
const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)))
const header = fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: bytesOrNull })
const record = fc.record({
  timestamp: fc.oneof(fc.constant(now), fc.integer({ min: -1, max: 2 ** 45 })),
  key: bytesOrNull,
  value: bytesOrNull,
  headers: fc.array(header, { maxLength: 3 }),
})

describe('a record batch', () => {
  test('comes back record by record, whatever the codec', () => {
    const options = fc.record({
      baseOffset: fc.nat({ max: 2 ** 50 }),
      codec: fc.constantFrom(...codecs),
      partitionLeaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
      producerId: fc.nat({ max: 2 ** 50 }),
      producerEpoch: fc.nat({ max: 32767 }),
      baseSequence: fc.nat({ max: 2 ** 31 - 1 }),
      isTransactional: fc.boolean(),
    })
    fc.assert(
      fc.property(options, fc.array(record, { minLength: 1, maxLength: 20 }), (fields, records) => {
        const bytes = encodeBatch({ ...fields, records })
        // Somewhere inside a larger buffer, as it lies in a segment.
        const around = Buffer.concat([Buffer.alloc(7, 0xee), bytes, Buffer.alloc(5, 0xee)])
        expect(batch.sizeAt(around, 7, around.length)).toBe(bytes.length)
        expect(batch.crcMatches(around, 7)).toBe(true)
        expect(batch.baseOffset(around, 7)).toBe(fields.baseOffset)
        expect(batch.lastOffset(around, 7)).toBe(fields.baseOffset + records.length - 1)
        expect(codecs[batch.codec(around, 7)]).toBe(fields.codec)
        expect(batch.partitionLeaderEpoch(around, 7)).toBe(fields.partitionLeaderEpoch)
        expect(batch.producerId(around, 7)).toBe(fields.producerId)
        expect(batch.producerEpoch(around, 7)).toBe(fields.producerEpoch)
        expect(batch.baseSequence(around, 7)).toBe(fields.baseSequence)
        expect(batch.isTransactional(around, 7)).toBe(fields.isTransactional)
        expect(batch.isControl(around, 7)).toBe(false)
        expect(batch.maxTimestamp(around, 7)).toBe(Math.max(...records.map((each) => each.timestamp)))
        const expected = records.map((each, index) => ({ offset: fields.baseOffset + index, ...each }))
        expect([...readRecords(around, 7)]).toEqual(expected)
      }),
    )
  })

  test('keeps its checksum when offset and leader epoch are assigned', () => {
    const bytes = encodeBatch({ records: [{ timestamp: now, value: 'a' }] })
    for (const offset of [0, 1, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER - 10]) {
      batch.setBaseOffset(bytes, 0, offset)
      batch.setPartitionLeaderEpoch(bytes, 0, 17)
      expect(batch.baseOffset(bytes, 0)).toBe(offset)
      expect(batch.nextOffset(bytes, 0)).toBe(offset + 1)
      expect(batch.partitionLeaderEpoch(bytes, 0)).toBe(17)
      expect(batch.crcMatches(bytes, 0)).toBe(true)
    }
  })

  test('takes the time of the log, and every record with it', () => {
    const bytes = encodeBatch({ records: [{ timestamp: now }, { timestamp: now - 5 }] })
    batch.setLogAppendTime(bytes, 0, now + 99)
    expect(batch.crcMatches(bytes, 0)).toBe(true)
    expect(batch.isLogAppendTime(bytes, 0)).toBe(true)
    expect([...readRecords(bytes, 0)].map((each) => each.timestamp)).toEqual([now + 99, now + 99])
  })

  test('keeps the gaps that compaction left, and the offsets behind the last record', () => {
    const records = [
      { timestamp: now, offset: 100 },
      { timestamp: now, offset: 103 },
    ]
    const bytes = encodeBatch({ baseOffset: 100, lastOffset: 109, deleteHorizon: now + 7, records })
    expect([...readRecords(bytes, 0)].map((each) => each.offset)).toEqual([100, 103])
    expect(batch.nextOffset(bytes, 0)).toBe(110)
    expect(batch.deleteHorizon(bytes, 0)).toBe(now + 7)
    expect([...readRecords(bytes, 0)].map((each) => each.timestamp)).toEqual([now, now])
    expect(() => new BatchBuilder({ baseOffset: 5 }).append({ offset: 4 })).toThrow(RangeError)
  })

  test('may be empty, as compaction leaves it for the producer state', () => {
    const bytes = encodeBatch({ records: [], baseOffset: 5, lastOffset: 9, codec: 'gzip', producerId: 3 })
    expect(bytes).toHaveLength(61)
    expect(batch.nextOffset(bytes, 0)).toBe(10)
    expect([...readRecords(bytes, 0)]).toEqual([])
  })

  test('counts sequences around the end of 31 bits', () => {
    const records = Array.from({ length: 4 }, () => ({ timestamp: now }))
    const bytes = encodeBatch({ producerId: 1, producerEpoch: 0, baseSequence: 2 ** 31 - 2, records })
    expect(batch.lastSequence(bytes, 0)).toBe(1)
    expect(batch.lastSequence(encodeBatch({ records }), 0)).toBe(-1)
  })

  test('written by the Java client without a codec, is written by us to the same byte', () => {
    const file = gunzipSync(readFileSync(new URL('../golden/record-batches.jsonl.gz', import.meta.url)))
    let compared = 0
    for (const line of file.toString().trimEnd().split('\n')) {
      const { name, hex } = JSON.parse(line) as { name: string; hex: string }
      const bytes = Buffer.from(hex, 'hex')
      for (const position of batch.iterateBatches(bytes)) {
        if (batch.magic(bytes, position) !== 2 || batch.codec(bytes, position) !== 0) continue
        if (!batch.crcMatches(bytes, position) || batch.recordCount(bytes, position) === 0) continue
        // Control batches are the matter of another test, offsets near 2^63 nobody's.
        if (name.includes('control') || batch.lastOffset(bytes, position) > Number.MAX_SAFE_INTEGER) continue
        expect(rewritten(bytes, position).toString('hex'), name).toBe(
          bytes.toString('hex', position, position + batch.sizeInBytes(bytes, position)),
        )
        compared++
      }
    }
    expect(compared).toBeGreaterThan(40)
  })
})

function rewritten(bytes: Buffer, position: number): Buffer {
  const baseOffset = batch.baseOffset(bytes, position)
  const records: BatchRecord[] = []
  const cursor = walkRecords(bytes, position)
  while (cursor.next()) {
    records.push({
      offset: baseOffset + cursor.offsetDelta,
      timestamp: batch.baseTimestamp(bytes, position) + cursor.timestampDelta,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    })
  }
  const options: BatchOptions = {
    baseOffset,
    lastOffset: batch.lastOffset(bytes, position),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, position),
    producerId: batch.producerId(bytes, position),
    producerEpoch: batch.producerEpoch(bytes, position),
    baseSequence: batch.baseSequence(bytes, position),
    isTransactional: batch.isTransactional(bytes, position),
  }
  if (batch.isLogAppendTime(bytes, position)) options.logAppendTime = batch.maxTimestamp(bytes, position)
  return encodeBatch({ ...options, records })
}

describe('batches in a row', () => {
  const one = encodeBatch({ records: [{ timestamp: now, value: 'one' }] })
  const two = encodeBatch({ baseOffset: 1, records: [{ timestamp: now, value: 'two' }] })
  const both = Buffer.concat([one, two])

  test('are walked one by one, and a tail cut at any byte ends the walk', () => {
    expect([...batch.iterateBatches(both)]).toEqual([0, one.length])
    for (let end = 0; end < both.length; end++) {
      expect([...batch.iterateBatches(both, 0, end)]).toEqual(end < one.length ? [] : [0])
      expect([...batch.iterateBatches(Buffer.from(both.subarray(0, end)))]).toEqual(end < one.length ? [] : [0])
    }
  })

  test('of nonsense lengths and unknown formats are found out', () => {
    for (const length of [0, -1, 13, 48, -(2 ** 31)]) {
      const bytes = Buffer.from(one)
      bytes.writeInt32BE(length, 8)
      expect(batch.sizeAt(bytes, 0, bytes.length)).toBe(-1)
      expect(() => [...batch.iterateBatches(bytes)]).toThrow(ProtocolViolation)
    }
    const bytes = Buffer.from(one)
    bytes[16] = 3
    expect(batch.sizeAt(bytes, 0, bytes.length)).toBe(-1)
    bytes[16] = 2
    bytes.writeInt32BE(2 ** 31 - 1, 8)
    expect(batch.sizeAt(bytes, 0, bytes.length)).toBe(0)
  })
})

describe('a look-up by time', () => {
  const times = [now, now + 10, now + 5, now + 20]

  test('finds the first record that is young enough, in every codec', () => {
    for (const codec of codecs) {
      const records = times.map((timestamp) => ({ timestamp, value: 'x' }))
      const bytes = encodeBatch({ baseOffset: 1000, codec, records })
      expect(offsetOfTimestamp(bytes, 0, now - 1)).toEqual({ offset: 1000, timestamp: now })
      expect(offsetOfTimestamp(bytes, 0, now + 1)).toEqual({ offset: 1001, timestamp: now + 10 })
      expect(offsetOfTimestamp(bytes, 0, now + 1, 1002)).toEqual({ offset: 1002, timestamp: now + 5 })
      expect(offsetOfTimestamp(bytes, 0, batch.maxTimestamp(bytes, 0))).toEqual({ offset: 1003, timestamp: now + 20 })
      expect(offsetOfTimestamp(bytes, 0, now + 21)).toBeUndefined()
    }
  })

  test('goes by the time of the log where that is set', () => {
    const bytes = encodeBatch({ logAppendTime: now + 50, records: times.map((timestamp) => ({ timestamp })) })
    expect(offsetOfTimestamp(bytes, 0, now + 40)).toEqual({ offset: 0, timestamp: now + 50 })
    expect(offsetOfTimestamp(bytes, 0, now + 51)).toBeUndefined()
  })
})

describe('lying records', () => {
  const cursor = new RecordCursor()
  const walk = (hex: string, count: number): number => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    cursor.reset(bytes, 0, bytes.length, count)
    while (cursor.next());
    return cursor.index
  }

  test('a record as it should be is walked', () => {
    expect(walk('10 00 00 00 02 6b 02 76 00', 1)).toBe(1)
    expect(walk('0c 00 00 00 01 01 00', 1)).toBe(1)
  })

  test.each([
    ['fewer records than declared', '0c 00 00 00 01 01 00', 2],
    ['more records than declared', '0c 00 00 00 01 01 00 0c 00 00 02 01 01 00', 1],
    ['two thousand million records', '0c 00 00 00 01 01 00', 2_000_000_000],
    ['a negative number of records', '', -1],
    ['a record longer than the batch', '0e 00 00 00 01 01 00', 1],
    ['a record shorter than its fields', '0a 00 00 00 01 01 00', 1],
    ['a record of negative length', '01 00 00 00 01 01 00', 1],
    ['a record of 2 GiB', 'feffffff0f 00 00 00 01 01 00', 1],
    ['a key longer than the record', '10 00 00 00 40 6b 02 76 00', 1],
    ['a value longer than the record', '10 00 00 00 02 6b 40 76 00', 1],
    ['a value of 2 GiB', '18 00 00 00 02 6b feffffff0f 76 00', 1],
    ['more headers than bytes', '0c 00 00 00 01 01 40', 1],
    ['2^31-1 headers', '14 00 00 00 01 01 feffffff0f', 1],
    ['a negative number of headers', '0c 00 00 00 01 01 01', 1],
    ['a header without a key', '10 00 00 00 01 01 02 01 01', 1],
    ['bytes behind the last field', '0e 00 00 00 01 01 00 00', 1],
  ])('%s: a violation', (_, hex, count) => {
    expect(() => walk(hex, count)).toThrow(ProtocolViolation)
  })
})
