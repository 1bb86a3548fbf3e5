// Snappy as Java sends it: the xerial framing, a header and then raw snappy blocks, each with its length before it.
//
//   82 'SNAPPY' 00 | version int32 = 1 | oldest reader int32 = 1 | { length int32, raw block }*
//
// A raw block starts with its own uncompressed length as an unsigned varint, so the size of the whole is known before
// anything is decoded. Clients that are not Java may send one raw block without the framing; both are read (the Java
// 4.4.0 reader takes both too), and the framing is what we write, in Java's blocks of 32 KiB.

import { createRequire } from 'node:module'
import { Cursor } from '../varint.ts'
import { CompressionError, DecompressionLimit } from './compression-error.ts'
import { Pieces, type Room } from './room.ts'
import { uncompressSnappyBlock } from './snappy-block.ts'

const require = createRequire(import.meta.url)

type Snappy = { compress: (bytes: Uint8Array) => Uint8Array }
let loaded: Snappy | undefined
const snappy = (): Snappy => {
  loaded ??= require('snappyjs') as Snappy
  return loaded
}

const header = Buffer.from('82534e415050590000000001', 'hex')
const headerBytes = 16
const blockBytesMax = 32 * 1024
/** The tag that expands most makes 64 bytes of 3; more than that is a lie about the length. */
const expansionMax = 32

const isFramed = (bytes: Buffer, at: number): boolean =>
  bytes.length - at >= headerBytes && bytes.compare(header, 0, 8, at, at + 8) === 0

function uncompressedLength(block: Buffer): number {
  const length = new Cursor(block).unsignedVarint()
  if (length > block.length * expansionMax) throw new CompressionError('a snappy block declares more than it can hold')
  return length
}

export function uncompressSnappy(bytes: Buffer, bytesMax: number, room: Room): Buffer {
  const blocks = isFramed(bytes, 0) ? unframe(bytes) : [bytes]
  let total = 0
  for (const block of blocks) total += uncompressedLength(block)
  if (total > bytesMax) throw new DecompressionLimit(bytesMax)
  const output = new Pieces(room(total))
  let filled = 0
  for (const block of blocks) filled = uncompressSnappyBlock(block, output, filled)
  return output.bytes.subarray(0, filled)
}

function unframe(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = []
  let position = 0
  while (position < bytes.length) {
    // A writer that was flushed and reopened starts again with a header.
    if (isFramed(bytes, position)) {
      position += headerBytes
      continue
    }
    if (bytes.length - position < 4) throw new CompressionError('snappy framing ends in a length')
    const length = bytes.readInt32BE(position)
    position += 4
    if (length < 0 || length > bytes.length - position) throw new CompressionError('a snappy block is cut short')
    blocks.push(bytes.subarray(position, position + length))
    position += length
  }
  return blocks
}

export function compressSnappy(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [header, Buffer.from([0, 0, 0, 1])]
  for (let start = 0; start < bytes.length; start += blockBytesMax) {
    const block = snappy().compress(bytes.subarray(start, start + blockBytesMax))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}
