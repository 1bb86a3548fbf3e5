// One raw block of snappy, unpacked. snappyjs reads a literal's length of four bytes as a signed number: a negative one takes
// it backwards in its input, and 300 bytes of a producer would hold the broker for ever. Here every length is looked at.
//
//   uncompressed length varint | { literal | copy }*, told apart by bits 0-1 of a tag byte
//   00 literal   bits 2-7 length - 1; 60 … 63: the length - 1 follows in 1 … 4 bytes; then the bytes themselves
//   01 copy      bits 2-4 length - 4, bits 5-7 and a byte: how far back
//   10, 11 copy  bits 2-7 length - 1, then how far back in 2 or 4 bytes. All little-endian

import { Cursor } from '../varint.ts'
import { CompressionError } from './compression-error.ts'
import { Pieces } from './room.ts'

const bad = (why: string): CompressionError => new CompressionError(`not a snappy block: ${why}`)

/** Unpacks a block to `start`, and answers where it ends. There is room for the length that it declares. */
export function uncompressSnappyBlock(block: Buffer, output: Pieces, start: number): number {
  const cursor = new Cursor(block)
  const outputEnd = cursor.unsignedVarint() + start
  const source = new Pieces(block)
  const end = block.length
  let at = cursor.position
  let filled = start
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
      if (size > end - at || size > outputEnd - filled) throw bad('a literal is longer than what is left')
      output.take(filled, source, at, size)
      at += size
      filled += size
      continue
    }
    const backBytes = kind === 3 ? 4 : kind
    if (backBytes > end - at) throw bad('a copy is cut short')
    let size = (tag >>> 2) + 1
    let back = block[at]!
    if (kind === 1) {
      size = ((tag >>> 2) & 7) + 4
      back |= (tag >>> 5) << 8
    } else if (kind === 2) back |= block[at + 1]! << 8
    else back = block.readUInt32LE(at)
    at += backBytes
    if (back === 0 || back > filled - start) throw bad('a copy begins where nothing is')
    if (size > outputEnd - filled) throw bad('a copy is longer than what is left')
    output.repeat(filled, back, size)
    filled += size
  }
  if (filled !== outputEnd) throw bad('it is shorter than it says')
  return filled
}
