// Blocks of snappy that lie about a length: they are refused, and none of them holds anybody.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CompressionError, compress, decompress } from '../../protocol/records/compression.ts'

test('snappy: a literal whose length would be negative as a signed number is refused; snappyjs would go back and read for ever', () => {
  // 100 bytes, a literal of four, then one that says 2^32-3: five back, where the tag itself stands.
  const block = Buffer.from('640c61626364fcfaffffff', 'hex')
  for (const bytes of [block, Buffer.concat([block, Buffer.alloc(20)])]) {
    expect(() => decompress(2, bytes, 1000)).toThrow(CompressionError)
  }
})

test('snappy: whatever snappyjs packs is unpacked to the same, and so is what reaches back four bytes far', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'bc', 'defghijk', 'x'.repeat(70), 'y'.repeat(70_000)), { maxLength: 12 }),
      (words) => {
        const bytes = Buffer.from(words.join(''))
        expect(decompress(2, compress(2, bytes), 2_000_000).equals(bytes)).toBe(true)
      },
    ),
    { numRuns: 60 },
  )
  // "abcd", then six from four back, told in four bytes.
  expect(decompress(2, Buffer.from('0a0c616263641704000000', 'hex'), 100).toString()).toBe('abcdabcdab')
})
