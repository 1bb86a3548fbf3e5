// One raw block of snappy, unpacked. snappyjs reads a literal's length of four bytes as a signed number: a negative one takes
// it backwards in its input, and 300 bytes of a producer would hold the broker for ever. Here every length is looked at.
//
//   uncompressed length varint | { literal | copy }*, told apart by bits 0-1 of a tag byte
//   00 literal   bits 2-7 length - 1; 60 … 63: the length - 1 follows in 1 … 4 bytes; then the bytes themselves
//   01 copy      bits 2-4 length - 4, bits 5-7 and a byte: how far back
//   10, 11 copy  bits 2-7 length - 1, then how far back in 2 or 4 bytes. All little-endian

import { Cursor } from '../varint.ts'
import { CompressionError } from './compression-error.ts'

/** Shorter pieces are copied byte by byte: a call costs more. */
const loopMax = 24

const bad = (why: string): CompressionError => new CompressionError(`not a snappy block: ${why}`)

/** The length that the block declares must have been looked at: so much is allocated. */
export function uncompressSnappyBlock(block: Buffer): Buffer {
  const cursor = new Cursor(block)
  const length = cursor.unsignedVarint()
  const out = Buffer.allocUnsafe(length)
  const end = block.length
  let at = cursor.position
  let filled = 0
  while (at < end) {
    const tag = block[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let size = (tag >>> 2) + 1
      if (size > 60) {
        const sizeBytes = size - 60
        if (sizeBytes > end - at) throw bad('a length is cut short')
        size = block.readUIntLE(at, sizeBytes) + 1
        at += sizeBytes
      }
      if (size > end - at || size > length - filled) throw bad('a literal is longer than what is left')
      if (size > loopMax) block.copy(out, filled, at, at + size)
      else for (let i = 0; i < size; i++) out[filled + i] = block[at + i]!
      at += size
      filled += size
      continue
    }
    const backBytes = kind === 3 ? 4 : kind
    if (backBytes > end - at) throw bad('a copy is cut short')
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const back = kind === 1 ? ((tag >>> 5) << 8) | block[at]! : block.readUIntLE(at, backBytes)
    at += backBytes
    if (back === 0 || back > filled) throw bad('a copy begins where nothing is')
    if (size > length - filled) throw bad('a copy is longer than what is left')
    if (back >= size && size > loopMax) out.copyWithin(filled, filled - back, filled - back + size)
    else for (let i = 0; i < size; i++) out[filled + i] = out[filled + i - back]!
    filled += size
  }
  if (filled !== length) throw bad('it is shorter than it says')
  return out
}
