// Blocks of lz4 that lie, frames as the lz4 program writes them, and the checksum they carry.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CompressionError, compress, decompress } from '../../protocol/records/compression.ts'
import { xxh32 } from '../../protocol/records/xxh32.ts'

const lz4 = 3
const header = '04224d18604082'
/** A frame of one block. */
const framed = (block: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(block.length / 2)
  return Buffer.concat([Buffer.from(header, 'hex'), length, Buffer.from(`${block}00000000`, 'hex')])
}
const text = (block: string): string => decompress(lz4, framed(block), 1000).toString()

test('xxHash is what others make of the same bytes', () => {
  expect(xxh32(Buffer.from('')).toString(16)).toBe('2cc5d05')
  expect(xxh32(Buffer.from('hello')).toString(16)).toBe('fb0077f9')
  expect(xxh32(Buffer.from('Nobody inspects the spammish repetition')).toString(16)).toBe('e2293b2f')
  expect(xxh32(Buffer.from('..hello..'), 2, 7).toString(16)).toBe('fb0077f9')
})

test('lz4: matches repeat what they are only writing, whatever their distance', () => {
  expect(text('16 61 0100 20 7878'.replaceAll(' ', ''))).toBe(`${'a'.repeat(11)}xx`)
  expect(text('23 6162 0200 10 78'.replaceAll(' ', ''))).toBe('ababababax')
  expect(text('33 616263 0300 10 78'.replaceAll(' ', ''))).toBe('abcabcabcax')
  expect(text('56 6162636465 0500 10 78'.replaceAll(' ', ''))).toBe('abcdeabcdeabcdex')
})

test('lz4: what is packed is unpacked to the same, with pieces of every length', () => {
  const pieces = fc.constantFrom(
    'a',
    'bc',
    'defghijk',
    'x'.repeat(23),
    'order-4711',
    'y'.repeat(300),
    'z'.repeat(70_000),
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (words) => {
      const bytes = Buffer.from(words.join(''))
      expect(decompress(lz4, compress(lz4, bytes), 4_000_000).equals(bytes)).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test.each([
  ['a literal longer than what is left', '50616263'],
  ['a length that never ends', 'f0ffff'],
  ['a match before the beginning', '10610200 1078'],
  ['a match from nowhere', '10610000 1078'],
  ['a distance that is cut short', '106101'],
  ['a match at the end', '10610100'],
  ['nothing', ''],
])('lz4: %s is refused', (_, block) => {
  const bytes = block === '' ? Buffer.from(`${header}01000000`, 'hex') : framed(block.replaceAll(' ', ''))
  expect(() => decompress(lz4, bytes, 1000)).toThrow(CompressionError)
})

test('lz4: a match does not reach into the block before it, where the frame says that its blocks are independent', () => {
  const blocks = '06000000 50 68656c6c6f 05000000 11 21 0600 00 00000000'.replaceAll(' ', '')
  expect(() => decompress(lz4, Buffer.from(header + blocks, 'hex'), 1000)).toThrow(CompressionError)
})

test('lz4: a block that unpacks to more than the frame allows is refused', () => {
  // A run of 20 + 255 * 260 bytes, where 64 KiB are the most.
  const block = `1f6101 00${'ff'.repeat(260)}01 00`.replaceAll(' ', '')
  expect(() => decompress(lz4, framed(block), 1_000_000)).toThrow(/exceeds the declared size/)
})
