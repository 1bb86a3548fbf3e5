// The compiled codecs against the interpreter, which walks the same tables the slow way.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codec, sourceOf } from '../../protocol/compile.ts'
import { requestHeader, responseHeader } from '../../protocol/header.ts'
import { interpret } from '../../protocol/interpret.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { messages } from '../../protocol/messages/index.ts'
import * as otherTables from '../../protocol/other-tables.ts'
import { Reader } from '../../protocol/reader.ts'
import { type Draft, type Fields, range, type Table } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { messagesOf, type Values } from '../random-messages.ts'

const tables: readonly Table[] = [
  ...messages.flatMap(({ request, response }) => [request, response]),
  requestHeader,
  responseHeader,
  ...(Object.values(otherTables) as readonly Table[]),
]

type Codecs = { read(reader: Reader): unknown; write(writer: Writer, message: Draft<Fields>): void }

function encode({ write }: Codecs, message: unknown): Buffer {
  const writer = new Writer(16)
  write(writer, message as Draft<Fields>)
  return writer.bytesWritten()
}

function decode({ read }: Codecs, bytes: Buffer): Values {
  const reader = new Reader(bytes)
  const message = read(reader) as Values
  reader.end()
  return message
}

describe('compiled and interpreted', () => {
  test('both write the same bytes and read the same values, in every version of every table', () => {
    let versions = 0
    for (const table of tables) {
      const [from, to] = range(table.versions)
      for (let version = from; version <= to; version++) {
        versions++
        const fast = codec(table, version) as unknown as Codecs
        const slow = interpret(table, version) as unknown as Codecs
        const holds = (message: Values): boolean => {
          const bytes = encode(slow, message)
          if (!encode(fast, message).equals(bytes)) return false
          const read = decode(slow, bytes)
          return isDeepStrictEqual(decode(fast, bytes), read) && encode(fast, read).equals(bytes)
        }
        const property = fc.property(messagesOf(table, version), holds)
        const { failed, seed, counterexample } = fc.check(property, { numRuns: 12 })
        expect(failed, `${table.name} v${version}, seed ${seed}: ${fc.stringify(counterexample)}`).toBe(false)
      }
    }
    expect(versions).toBeGreaterThan(500)
  })

  test('both refuse the same cut or damaged bytes', () => {
    const outcome = (codecs: Codecs, bytes: Buffer): unknown => {
      try {
        return decode(codecs, bytes)
      } catch (cause) {
        return (cause as Error).constructor.name
      }
    }
    for (const table of tables) {
      const version = range(table.versions)[1]
      const fast = codec(table, version) as unknown as Codecs
      const slow = interpret(table, version) as unknown as Codecs
      const damage = fc.tuple(messagesOf(table, version), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean())
      const property = fc.property(damage, ([message, at, byte, cut]) => {
        const whole = Buffer.from(encode(slow, message))
        const place = whole.length === 0 ? 0 : at % whole.length
        if (whole.length > 0) whole[place] = byte
        const bytes = cut ? whole.subarray(0, place) : whole
        return isDeepStrictEqual(outcome(fast, bytes), outcome(slow, bytes))
      })
      const { failed, seed, counterexample } = fc.check(property, { numRuns: 40 })
      expect(failed, `${table.name} v${version}, seed ${seed}: ${fc.stringify(counterexample)}`).toBe(false)
    }
  })
})

describe('what is written', () => {
  const readBack = (table: Table, version: number, message: Values): Values => {
    const codecs = codec(table, version) as unknown as Codecs
    return decode(codecs, encode(codecs, message))
  }

  test('a tag that no table knows is kept and written again in its place', () => {
    const unknownTags = [{ tag: 77, bytes: Buffer.from('later') }]
    const message = { topics: [], timeoutMs: 7, unknownTags }
    expect(readBack(deleteRecords.request, 2, message)).toEqual(message)
  })

  test('unknown tags stand between known ones in the order of their numbers', () => {
    const codecs = codec(fetch.request, 17) as unknown as Codecs
    const known = { clusterId: 'c', replicaState: { replicaId: 3, replicaEpoch: 4 } }
    const bytes = encode(codecs, {
      ...known,
      topics: [],
      forgottenTopicsData: [],
      unknownTags: [{ tag: 9, bytes: Buffer.of(1) }],
    })
    const { clusterId, replicaState, unknownTags } = decode(codecs, bytes)
    expect({ clusterId, replicaState, unknownTags }).toEqual({
      ...known,
      unknownTags: [{ tag: 9, bytes: Buffer.of(1) }],
    })
    expect(encode(codecs, decode(codecs, bytes))).toEqual(bytes)
  })

  test('what a writer leaves out is at its default when it is read', () => {
    expect(readBack(fetch.request, 12, { topics: [] })).toMatchObject({
      isolationLevel: 0,
      maxBytes: 0x7fff_ffff,
      sessionEpoch: -1,
      rackId: '',
      clusterId: null,
      forgottenTopicsData: [],
    })
  })

  test('the source text of a version is what one would have written by hand', () => {
    expect(sourceOf(deleteRecords.request, 0).text).toContain('partitionIndex: r.int32(),\n  offset: r.int64(),')
  })
})
