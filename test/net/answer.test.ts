// Answers lie one behind the other in the same memory: none may reach into another.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codec } from '../../protocol/compile.ts'
import { responseHeader } from '../../protocol/header.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { Writer } from '../../protocol/writer.ts'
import { encode } from '../../src/net/answer.ts'
import { messagesOf } from '../random-messages.ts'

function alone(body: unknown, table: Parameters<typeof encode>[1], version: number, correlationId: number): Buffer {
  const writer = new Writer()
  codec(responseHeader, 1).write(writer, { correlationId })
  codec(table, version).write(writer, body as never)
  const bytes = writer.bytesWritten()
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

const long = {
  topics: Array.from({ length: 700 }, (_, i) => ({ name: `a topic of many, number ${i}`, partitions: [] })),
}

test('every answer is what it is when it is written alone, small ones, large ones and such with records', () => {
  const metadatas = fc.oneof(messagesOf(metadata.response, 12), fc.constant(long))
  const answers = fc.oneof(
    metadatas.map((body) => ({ table: metadata.response, version: 12, body })),
    messagesOf(fetch.response, 16).map((body) => ({ table: fetch.response, version: 16, body })),
  )
  fc.assert(
    fc.property(fc.array(answers, { maxLength: 30 }), (all) => {
      const encoded = all.map(({ table, version, body }, i) => encode(body, table, version, 1, i))
      const expected = all.map(({ table, version, body }, i) => alone(body, table, version, i))
      expect(encoded.map((parts) => Buffer.concat(parts).toString('hex'))).toEqual(
        expected.map((of) => of.toString('hex')),
      )
    }),
    { numRuns: 200 },
  )
})

test('an answer that cannot be written leaves those before it as they are', () => {
  const before = encode({ topics: [] }, metadata.response, 12, 1, 1)
  const bytes = Buffer.concat(before)
  expect(() => encode({ topics: [{ name: 'x', partitions: null }] }, metadata.response, 12, 1, 2)).toThrow()
  const after = encode({ topics: [{ name: 'after', partitions: [] }] }, metadata.response, 12, 1, 3)
  expect(Buffer.concat(before)).toEqual(bytes)
  expect(Buffer.concat(after)).toEqual(alone({ topics: [{ name: 'after', partitions: [] }] }, metadata.response, 12, 3))
})
