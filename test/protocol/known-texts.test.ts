// Texts that are known already must be those that the bytes say, whatever came before them.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { knownId, knownIdBytes } from '../../protocol/known-texts.ts'
import { Reader } from '../../protocol/reader.ts'
import { Writer } from '../../protocol/writer.ts'

/** Few characters and lengths, so that texts meet in their places again and again. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\x7f'), maxLength: 6 }),
  fc.string({ unit: fc.constantFrom('a', 'é', '\x80', '😀'), maxLength: 70 }),
  fc.string({ unit: fc.constantFrom('t', '1', '2'), minLength: 45, maxLength: 66 }),
)

test('texts are read as they were written, and written as Node writes them', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
      const writer = new Writer(16)
      for (const each of texts) {
        writer.string(each)
        writer.compactString(each)
      }
      const bytes = writer.bytesWritten()
      const plain = texts.flatMap((each) => {
        const utf8 = Buffer.from(each)
        const long =
          utf8.length + 1 > 127 ? [((utf8.length + 1) & 0x7f) | 0x80, (utf8.length + 1) >> 7] : [utf8.length + 1]
        return [Buffer.from([utf8.length >> 8, utf8.length & 0xff]), utf8, Buffer.from(long), utf8]
      })
      expect(bytes).toEqual(Buffer.concat(plain))
      const reader = new Reader(bytes)
      for (const each of texts) {
        expect(reader.string()).toBe(each)
        expect(reader.compactString()).toBe(each)
      }
    }),
    { numRuns: 500 },
  )
})

test('ids are what their bytes say, though others lie in the same place', () => {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
    // Two bytes say where an id lies, and here those are nearly always the same.
    bytes[0]! &= 1
    bytes[1]! &= 1
    return Buffer.from(bytes)
  })
  fc.assert(
    fc.property(fc.array(id, { maxLength: 40 }), (all) => {
      for (const bytes of [...all, ...all]) {
        const asText = bytes.toString('base64url')
        expect(knownId(Buffer.concat([Buffer.from([7]), bytes]), 1)).toBe(asText)
        expect(Buffer.compare(knownIdBytes(asText), bytes)).toBe(0)
      }
    }),
    { numRuns: 500 },
  )
  expect(knownIdBytes('AQ')).toEqual(Buffer.from([1, ...Buffer.alloc(15)]))
})
