// What a producer may send. The expected names are the answers of Kafka 4.4.0 to the same batches, except where a row
// says that we are stricter.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ErrorName } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { type BatchOptions, type BatchRecord, encodeBatch } from '../../protocol/records/builder.ts'
import { codecs } from '../../protocol/records/compression.ts'
import { validateProduceBatch, validateRecords } from '../../protocol/records/validate.ts'

const now = 1_700_000_000_000
const hour = 3_600_000
const three: BatchRecord[] = [0, 1, 2].map((i) => ({ timestamp: now + i, key: `k${i}`, value: `value${i}` }))
const made = (options: BatchOptions = {}, records = three) => encodeBatch({ ...options, records })

function edited(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(bytes)
  return bytes
}
/** Changes a batch and gives it a checksum that fits again. */
function forged(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(bytes)
  batch.writeCrc(bytes, 0)
  return bytes
}
/** Cuts a batch and lets its length and checksum say so. */
function shortened(bytes: Buffer, size: number): Buffer {
  const cut = Buffer.from(bytes.subarray(0, size))
  return forged(cut, () => cut.writeInt32BE(size - 12, 8))
}
const counting = (bytes: Buffer, count: number): Buffer =>
  forged(bytes, () => {
    bytes.writeInt32BE(count, 57)
    bytes.writeInt32BE(count - 1, 23)
  })

/** Both checks, as Produce runs them. */
function verdict(bytes: Buffer, produceVersion = 8, messageBytesMax = 1_048_588): ErrorName {
  const error = validateProduceBatch(bytes, 0, bytes.length, { messageBytesMax, produceVersion })
  if (error !== 'NONE') return error
  return validateRecords(bytes, 0, { now, timestampAfterMaxMs: hour }).error
}

const flipLastBit = (bytes: Buffer) => {
  bytes[bytes.length - 1]! ^= 1
}
const at = (timestamp: number): BatchRecord => ({ timestamp, value: 'x' })

describe('a produced batch', () => {
  test.each<[string, ErrorName, Buffer, number?]>([
    ['unpacked', 'NONE', made()],
    ['with gzip', 'NONE', made({ codec: 'gzip' })],
    ['with snappy', 'NONE', made({ codec: 'snappy' })],
    ['with lz4', 'NONE', made({ codec: 'lz4' })],
    ['with zstd', 'NONE', made({ codec: 'zstd' })],
    ['with zstd before Produce 7', 'UNSUPPORTED_COMPRESSION_TYPE', made({ codec: 'zstd' }), 6],
    ['that is not there', 'INVALID_RECORD', Buffer.alloc(0)],
    ['of ten bytes', 'INVALID_RECORD', Buffer.alloc(10)],
    ['with another behind it', 'INVALID_RECORD', Buffer.concat([made(), made()])],
    ['with nonsense behind it', 'CORRUPT_MESSAGE', Buffer.concat([made(), Buffer.alloc(60)])],
    ['cut short', 'INVALID_RECORD', made().subarray(0, -3)],
    [
      'with a part of another behind it (Kafka cuts it off)',
      'INVALID_RECORD',
      Buffer.concat([made(), made().subarray(0, 40)]),
    ],
    ['whose last byte is another', 'CORRUPT_MESSAGE', edited(made(), flipLastBit)],
    ['of length 5', 'CORRUPT_MESSAGE', edited(made(), (b) => b.writeInt32BE(5, 8))],
    ['of length 20', 'CORRUPT_MESSAGE', edited(made(), (b) => b.writeInt32BE(20, 8))],
    ['of negative length', 'CORRUPT_MESSAGE', edited(made(), (b) => b.writeInt32BE(-1, 8))],
    ['of format 1', 'INVALID_RECORD', forged(made(), (b) => b.writeInt8(1, 16))],
    ['of format 0', 'INVALID_RECORD', forged(made(), (b) => b.writeInt8(0, 16))],
    ['of format 3', 'CORRUPT_MESSAGE', forged(made(), (b) => b.writeInt8(3, 16))],
    ['with an offset of its own', 'INVALID_RECORD', made({ baseOffset: 5 })],
    ['that is too large', 'MESSAGE_TOO_LARGE', made({}, [{ value: Buffer.alloc(1_100_000) }])],
    [
      'that is too large and damaged',
      'MESSAGE_TOO_LARGE',
      edited(made({}, [{ value: Buffer.alloc(1_100_000) }]), flipLastBit),
    ],
    ['too large with an offset', 'INVALID_RECORD', made({ baseOffset: 5 }, [{ value: Buffer.alloc(1_100_000) }])],
    ['of no records', 'INVALID_RECORD', forged(made(), (b) => b.writeInt32BE(0, 57))],
    ['of -1 records', 'INVALID_RECORD', forged(made(), (b) => b.writeInt32BE(-1, 57))],
    ['of more records than it says', 'INVALID_RECORD', counting(made(), 2)],
    ['of fewer records than it says', 'INVALID_RECORD', counting(made(), 4)],
    ['of 2,000,000,000 records, it says', 'INVALID_RECORD', counting(made(), 2_000_000_000)],
    ['of more packed records than it says', 'INVALID_RECORD', counting(made({ codec: 'gzip' }), 2)],
    ['of fewer packed records than it says', 'INVALID_RECORD', counting(made({ codec: 'gzip' }), 4)],
    ['whose last offset does not fit its count', 'INVALID_RECORD', forged(made(), (b) => b.writeInt32BE(7, 23))],
    ['of control records', 'INVALID_RECORD', made({ isControl: true })],
    ['of a producer id without a sequence', 'INVALID_RECORD', made({ producerId: 5, producerEpoch: 0 })],
    ['of a sequence without a producer id', 'NONE', made({ baseSequence: 3 })],
    [
      'with codec 5 (Kafka: UNKNOWN_SERVER_ERROR)',
      'UNSUPPORTED_COMPRESSION_TYPE',
      forged(made(), (b) => b.writeInt16BE(5, 21)),
    ],
    ['that is not gzip (Kafka: UNKNOWN_SERVER_ERROR)', 'INVALID_RECORD', forged(made(), (b) => b.writeInt16BE(1, 21))],
    [
      'that is not snappy (Kafka: UNKNOWN_SERVER_ERROR)',
      'INVALID_RECORD',
      forged(made(), (b) => b.writeInt16BE(2, 21)),
    ],
    ['that is not lz4 (Kafka: UNKNOWN_SERVER_ERROR)', 'INVALID_RECORD', forged(made(), (b) => b.writeInt16BE(3, 21))],
    ['that is not zstd (Kafka: UNKNOWN_SERVER_ERROR)', 'INVALID_RECORD', forged(made(), (b) => b.writeInt16BE(4, 21))],
    ['with gaps (Kafka stores it)', 'INVALID_RECORD', counting(made({}, [{ offset: 0 }, { offset: 2 }]), 2)],
    ['with the time of a log (Kafka clears it)', 'INVALID_TIMESTAMP', made({ logAppendTime: now })],
    ['whose record is shorter than its fields', 'INVALID_RECORD', forged(made(), (b) => b.writeUInt8(b[61]! - 2, 61))],
    ['whose record is longer than its fields', 'INVALID_RECORD', forged(made(), (b) => b.writeUInt8(b[61]! + 2, 61))],
    ['from two hours ahead', 'INVALID_TIMESTAMP', made({}, [at(now + 2 * hour)])],
    ['with one record from two hours ahead', 'INVALID_TIMESTAMP', made({}, [at(now), at(now + 2 * hour)])],
    ['without times', 'NONE', made({}, [{ value: 'a' }])],
    ['from before 1970', 'NONE', made({}, [at(-5)])],
  ])('%s: %s', (_, expected, bytes, version) => {
    expect(verdict(bytes, version)).toBe(expected)
  })

  test('cut at any byte is refused', () => {
    const bytes = made({ producerId: 1, producerEpoch: 0, baseSequence: 0 })
    for (let end = 0; end < bytes.length; end++) expect(verdict(bytes.subarray(0, end))).toBe('INVALID_RECORD')
  })

  test('cut at any byte, with length and checksum to match, is refused in every codec', () => {
    for (const codec of codecs) {
      const bytes = made({ codec })
      for (let size = batch.headerBytes; size < bytes.length; size++) {
        expect(verdict(shortened(bytes, size)), `${codec} ${size}`).toBe('INVALID_RECORD')
      }
    }
  })

  test('with any damage under a good checksum gets an answer and never an exception', () => {
    for (const codec of codecs) {
      const bytes = made({ codec }, [...three, { timestamp: now, headers: [{ key: 'h', value: 'v' }] }])
      const edit = fc.tuple(fc.integer({ min: 21, max: bytes.length - 1 }), fc.nat({ max: 255 }))
      fc.assert(
        fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
          const damaged = forged(Buffer.from(bytes), (b) => {
            for (const [position, byte] of edits) b[position] = byte
          })
          expect(typeof verdict(damaged)).toBe('string')
        }),
        { numRuns: 500 },
      )
    }
  })

  test('that unpacks to more than is allowed is refused as too large', () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const bytes = made({ codec }, [{ timestamp: now, value: Buffer.alloc(8_000_000) }])
      const { error, message } = validateRecords(bytes, 0, { unpackedBytesMax: 1_000_000 })
      expect(error).toBe('MESSAGE_TOO_LARGE')
      expect(message).toContain('1000000')
    }
  })
})

describe('the walk over the records', () => {
  test('names the records without a key that a compacted topic cannot take', () => {
    const bytes = made({}, [{ key: 'k' }, { value: 'x' }, { key: '' }, { key: null }])
    const { error, recordErrors } = validateRecords(bytes, 0, { needsKeys: true })
    expect(error).toBe('INVALID_RECORD')
    expect(recordErrors.map(({ index }) => index)).toEqual([1, 3])
    expect(validateRecords(bytes, 0, {})).toMatchObject({ error: 'NONE', message: null, recordErrors: [] })
  })

  test('lets one bad time name the answer even where a key is missing too', () => {
    const bytes = made({}, [
      { timestamp: now, value: 'x' },
      { ...at(now + 2 * hour), key: 'k' },
    ])
    const { error, recordErrors } = validateRecords(bytes, 0, { needsKeys: true, now, timestampAfterMaxMs: hour })
    expect(error).toBe('INVALID_TIMESTAMP')
    expect(recordErrors.map(({ index }) => index)).toEqual([0, 1])
  })

  test('holds times against both distances from the clock of the broker', () => {
    const from = (timestamp: number) => made({}, [at(timestamp)])
    const limits = { now, timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 500 }
    expect(validateRecords(from(now - 1000), 0, limits).error).toBe('NONE')
    expect(validateRecords(from(now - 1001), 0, limits).error).toBe('INVALID_TIMESTAMP')
    expect(validateRecords(from(now + 500), 0, limits).error).toBe('NONE')
    expect(validateRecords(from(now + 501), 0, limits).error).toBe('INVALID_TIMESTAMP')
    expect(validateRecords(from(-1), 0, limits).error).toBe('NONE')
  })

  test('tells the youngest time as it is, whatever the header says', () => {
    const bytes = forged(made(), (b) => b.writeBigInt64BE(BigInt(now - 100_000), 35))
    const { error, maxTimestamp } = validateRecords(bytes, 0, { now })
    expect(error).toBe('NONE')
    expect(maxTimestamp).toBe(now + 2)
    batch.setMaxTimestamp(bytes, 0, maxTimestamp)
    expect(batch.maxTimestamp(bytes, 0)).toBe(now + 2)
    expect(batch.crcMatches(bytes, 0)).toBe(true)
  })
})

test.each(codecs)('%s: a single record may be so large unpacked, if it was packed', (codec) => {
  // As a real broker counts: 8 bytes stand around this value.
  const check = (size: number) => {
    const bytes = encodeBatch({ codec, records: [{ timestamp: now, key: 'k', value: 'x'.repeat(size) }] })
    return validateRecords(bytes, 0, { recordBytesMax: 1000 }).error
  }
  expect(check(992)).toBe('NONE')
  expect(check(993)).toBe(codec === 'none' ? 'NONE' : 'INVALID_RECORD')
})
