// What a reader makes of hostile bytes, and that it does not matter in which pieces a frame came.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codec } from '../../protocol/compile.ts'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { interpret } from '../../protocol/interpret.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { ChunkReader, Reader } from '../../protocol/reader.ts'
import {
  array,
  type Draft,
  type Fields,
  int8,
  range,
  string,
  struct,
  type Table,
  table,
} from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { messagesOf } from '../random-messages.ts'

type Codecs = { read(reader: Reader): unknown; write(writer: Writer, message: Draft<Fields>): void }
const both = (of: Table, version: number): Codecs[] =>
  [codec(of, version), interpret(of, version)] as unknown as Codecs[]

/** A frame of `bytes` in front of which nothing else has been read. */
const hex = (text: string): Reader => new Reader(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const written = (write: (writer: Writer) => void): Buffer => {
  const writer = new Writer()
  write(writer)
  return writer.bytesWritten()
}

/** What a refused reading leaves behind: nothing of the sizes that the bytes announce. */
function bytesTaken(read: () => unknown): number {
  const before = process.memoryUsage()
  expect(read).toThrow(ProtocolViolation)
  const after = process.memoryUsage()
  return after.heapUsed + after.external - before.heapUsed - before.external
}

describe('hostile bytes', () => {
  const table1: [what: string, bytes: string, read: (reader: Reader) => unknown][] = [
    ['an int8 in no bytes', '', (r) => r.int8()],
    ['an int16 in one byte', '00', (r) => r.int16()],
    ['an int32 in three bytes', '000000', (r) => r.int32()],
    ['an int64 in seven bytes', '00000000000000', (r) => r.int64()],
    ['a float64 in seven bytes', '00000000000000', (r) => r.float64()],
    ['a uuid in fifteen bytes', '00'.repeat(15), (r) => r.uuid()],
    ['a varint that never ends', 'ff ff ff ff ff ff', (r) => r.uvarint()],
    ['a varint of more than 32 bits', 'ff ff ff ff 10', (r) => r.uvarint()],
    ['a varint that the frame cuts off', 'ff ff', (r) => r.uvarint()],
    ['a string longer than the frame', '7fff 6162', (r) => r.string()],
    ['a string of a negative length', 'fffe 6162', (r) => r.nullableString()],
    ['a null string where none may be', 'ffff', (r) => r.string()],
    ['a string that is not UTF-8', '0002 c328', (r) => r.string()],
    ['a string that ends within a character', '0001 c3', (r) => r.string()],
    ['a string with a surrogate of UTF-16', '0003 eda080', (r) => r.string()],
    ['a compact string longer than the frame', 'ff ff ff ff 0f 61', (r) => r.compactString()],
    ['a null compact string where none may be', '00', (r) => r.compactString()],
    ['a compact string that is not UTF-8', '03 ff fe', (r) => r.compactNullableString()],
    ['bytes of 2 GiB', '7fffffff 00', (r) => r.bytes()],
    ['bytes of a negative length', '80000000 00', (r) => r.nullableBytes()],
    ['null bytes where none may be', 'ffffffff', (r) => r.bytes()],
    ['compact bytes of 4 GiB', 'ff ff ff ff 0f', (r) => r.compactBytes()],
    ['null compact bytes where none may be', '00', (r) => r.compactBytes()],
    ['records of 2 GiB', '7fffffff 00', (r) => r.records()],
    ['records of a negative length', 'fffffffe', (r) => r.nullableRecords()],
    ['null records where none may be', 'ffffffff', (r) => r.records()],
    ['compact records of 4 GiB', 'ff ff ff ff 0f', (r) => r.compactNullableRecords()],
    ['null compact records where none may be', '00', (r) => r.compactRecords()],
    ['2^31-1 elements in 20 bytes', `7fffffff ${'00'.repeat(16)}`, (r) => r.arrayCount(1)],
    ['one element more than fits', '00000003 00000000 0000', (r) => r.arrayCount(2 + 1)],
    ['a negative number of elements', 'fffffffe', (r) => r.arrayCount(1)],
    ['2^32-2 elements in 20 bytes', `ff ff ff ff 0f ${'00'.repeat(15)}`, (r) => r.compactArrayCount(1)],
    ['a tag of 4 GiB', 'ff ff ff ff 0f', (r) => r.unknownTag({}, 1, r.uvarint())],
    ['bytes after the end', '00', (r) => r.end()],
  ]
  for (const [what, bytes, read] of table1) {
    test(`${what}: a violation, with nothing allocated for it`, () => {
      expect(bytesTaken(() => read(hex(bytes)))).toBeLessThan(1024 * 1024)
      const pieces = [...Buffer.from(bytes.replaceAll(' ', ''), 'hex')].map((byte) => Buffer.of(byte))
      if (pieces.length > 0) expect(bytesTaken(() => read(new ChunkReader(pieces)))).toBeLessThan(1024 * 1024)
    })
  }

  const tagged = table('Tagged', '0', '0+', {
    name: string('0+', { tag: 0, tagged: '0+' }),
    pair: struct({ one: int8(), two: int8() }, '0+', { tag: 1, tagged: '0+', nullable: '0+', default: null }),
  })
  const tags: [what: string, bytes: string][] = [
    ['a known tag that is shorter than it says', '01 00 05 03 61 62'],
    ['a known tag that is longer than it says', '01 00 02 03 61 62'],
    ['a known tag that says more than the frame holds', '01 00 7f 03 61 62'],
    ['a known tag of no bytes', '01 00 00'],
    ['an unknown tag that says more than the frame holds', '01 07 7f 00'],
    ['more tags than there are', '05 07 00'],
    ['4 billion tags', 'ff ff ff ff 0f 07 00'],
    ['a null in a tag that may not be null', '01 00 01 00'],
    ['a struct whose own tags go on beyond it', '01 01 04 01 02 03 01'],
  ]
  for (const [what, bytes] of tags) {
    test(`${what}: a violation`, () => {
      for (const { read } of both(tagged as unknown as Table, 0))
        expect(() => read(hex(bytes))).toThrow(ProtocolViolation)
    })
  }

  const nested = table('Nested', '0', '0+', { rows: array({ name: string(), inner: array(int8()) }) })
  test('counts of arrays in arrays are held against the bytes that are left, not against the frame', () => {
    for (const { read } of both(nested as unknown as Table, 0)) {
      expect(() => read(hex('02 01 ff 01 00 00'))).toThrow(ProtocolViolation)
      expect(() => read(hex('03 01 01 00'))).toThrow(ProtocolViolation)
      expect(() => read(hex('00'))).toThrow(ProtocolViolation)
    }
  })

  test('a frame of millions of empty structs ends before they have become objects', () => {
    const count = 3_000_000
    const frame = Buffer.concat([written((w) => w.uvarint(count + 1)), Buffer.alloc(3 * count + 1, 1)])
    for (const { read } of both(nested as unknown as Table, 0)) {
      expect(bytesTaken(() => read(new Reader(frame)))).toBeLessThan(4 * 1024 * 1024)
    }
  })

  test('a frame of millions of unknown tags ends before they have become objects', () => {
    const count = 3_000_000
    const tag = Buffer.of(9, 0)
    const frame = Buffer.concat([Buffer.of(1), written((w) => w.uvarint(count)), Buffer.alloc(2 * count, tag)])
    for (const { read } of both(nested as unknown as Table, 0)) {
      expect(bytesTaken(() => read(new Reader(frame)))).toBeLessThan(64 * 1024 * 1024)
    }
  })

  test('a request of any table that is filled with the largest lengths is refused without being built', () => {
    for (const { request } of [produce, fetch, metadata, joinGroup, createTopics]) {
      const [from, to] = range(request.versions)
      for (let version = from; version <= to; version++) {
        for (const byte of [0x7f, 0xff, 0x80, 0x0f]) {
          for (const { read } of both(request as unknown as Table, version)) {
            const frame = new Reader(Buffer.alloc(200, byte))
            expect(() => {
              read(frame)
              frame.end()
            }).toThrow(ProtocolViolation)
          }
        }
      }
    }
  })
})

describe('a frame in pieces', () => {
  const cut = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
    const places = [0, ...[...new Set(cuts)].sort((a, b) => a - b), bytes.length]
    return places.slice(1).flatMap((end, i) => (end > places[i]! ? [bytes.subarray(places[i]!, end)] : []))
  }
  const records = (value: unknown): unknown => {
    if (Buffer.isBuffer(value)) return value
    if (Array.isArray(value)) {
      return value.length > 0 && value.every((part) => Buffer.isBuffer(part))
        ? Buffer.concat(value)
        : value.map(records)
    }
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, records(of)]))
  }
  const encode = ({ write }: Codecs, message: unknown): Buffer => written((w) => write(w, message as Draft<Fields>))
  function decode({ read }: Codecs, reader: Reader): unknown {
    try {
      const message = read(reader)
      reader.end()
      return records(message)
    } catch (cause) {
      return (cause as Error).constructor.name
    }
  }

  test('every way to cut a short frame gives the same message', () => {
    const codecs = codec(createTopics.request, 5) as unknown as Codecs
    const topics = [{ name: 'ä', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const bytes = encode(codecs, { topics, timeoutMs: 1, validateOnly: true })
    expect(bytes.length).toBeLessThan(24)
    const whole = decode(codecs, new Reader(bytes))
    expect(whole).toMatchObject({ topics })
    const ways = 2 ** (bytes.length - 1)
    // All ways for the first sixteen bytes, and every one of those with a second half in single bytes.
    for (let way = 0; way < Math.min(ways, 2 ** 15); way++) {
      const cuts = Array.from({ length: 15 }, (_, i) => i + 1).filter((at) => (way & (1 << (at - 1))) !== 0)
      const tail = way % 2 === 0 ? [] : Array.from({ length: bytes.length - 16 }, (_, i) => i + 16)
      const read = decode(codecs, new ChunkReader(cut(bytes, [...cuts, ...tail])))
      if (!isDeepStrictEqual(read, whole)) expect.fail(`cut at ${cuts}: ${JSON.stringify(read)}`)
    }
  })

  test('every message, whole or damaged, reads the same in one piece and in many', () => {
    const tables = [produce, fetch, metadata, joinGroup].flatMap(
      ({ request, response }) => [request, response] as Table[],
    )
    for (const of of tables) {
      const [from, to] = range(of.versions)
      for (const version of [from, to]) {
        const codecs = codec(of, version) as unknown as Codecs
        const pieces = fc.tuple(messagesOf(of, version), fc.array(fc.nat(), { maxLength: 12 }), fc.option(fc.nat()))
        const property = fc.property(pieces, ([message, places, shortBy]) => {
          const bytes = encode(codecs, message)
          const kept = shortBy === null ? bytes : bytes.subarray(0, shortBy % (bytes.length + 1))
          if (kept.length === 0) return true
          const cuts = places.map((place) => place % kept.length)
          return isDeepStrictEqual(decode(codecs, new ChunkReader(cut(kept, cuts))), decode(codecs, new Reader(kept)))
        })
        const { failed, seed, counterexample } = fc.check(property, { numRuns: 60 })
        expect(failed, `${of.name} v${version}, seed ${seed}: ${fc.stringify(counterexample)}`).toBe(false)
      }
    }
  })

  test('records are handed on as the views in which they came', () => {
    const codecs = codec(produce.request, 9) as unknown as Codecs
    const payload = Buffer.alloc(300, 7)
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: payload }] }]
    const bytes = Buffer.from(encode(codecs, { acks: 1, timeoutMs: 1, topicData }))
    const { buffer } = bytes
    const reader = new ChunkReader(cut(bytes, [100, 200]))
    type Read = { topicData: { partitionData: { records: Buffer[] }[] }[] }
    const read = (codecs.read(reader) as Read).topicData[0]!.partitionData[0]!.records
    expect(Buffer.concat(read)).toEqual(payload)
    expect(read).toHaveLength(3)
    for (const part of read) expect(part.buffer).toBe(buffer)
  })
})
