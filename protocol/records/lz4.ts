// The LZ4 frame, as Kafka uses it: a descriptor, then blocks of at most the declared size, then a zero.
//
//   04 22 4d 18 | flags | block size | [content size int64] | [dictionary int32] | header checksum
//   { length uint32 (top bit: stored as is) | bytes | [block checksum] }* | 00 00 00 00 | [content checksum]
//   flags: 01 dictionary, 04 content checksum, 08 content size, 10 block checksums, 20 independent blocks, 40 version 1
//
// All little-endian. Java writes flags 60 (independent, nothing else) and 64 KiB blocks (40), and refuses to read
// blocks that lean on earlier ones; lz4js writes those, so the frame is ours to write and the package packs the blocks.
// The old message format (magic 0) computed the header checksum over the wrong bytes (KAFKA-3160): such frames are read
// without looking at it.

import { createRequire } from 'node:module'
import { nativeAllowed } from '../native.ts'
import { CompressionError, DecompressionLimit } from './compression-error.ts'
import { type Lz4Block, uncompressLz4Block } from './lz4-block.ts'
import { Pieces, type Room, slackBytes } from './room.ts'
import { xxh32 } from './xxh32.ts'

const require = createRequire(import.meta.url)

type Native = { compressFrameSync: (bytes: Buffer) => Buffer }
type Script = {
  compressBlock: (source: Uint8Array, target: Uint8Array, start: number, length: number, table: Uint32Array) => number
}

let nativeCodec: Native | null | undefined
let scriptCodec: Script | undefined

function native(): Native | null {
  if (nativeCodec !== undefined) return nativeCodec
  nativeCodec = null
  if (nativeAllowed()) {
    try {
      nativeCodec = require('lz4-napi') as Native
    } catch {
      // An optional package that is not there: lz4js does the work.
    }
  }
  return nativeCodec
}

const script = (): Script => {
  scriptCodec ??= require('lz4js') as Script
  return scriptCodec
}

export const lz4Loaded = (): string => (native() ? 'lz4-napi' : 'lz4js')

const magic = 0x184d2204
const dictionary = 0x01
const contentChecksum = 0x04
const contentSize = 0x08
const blockChecksums = 0x10
const independent = 0x20
const version = 0x40
const stored = 0x8000_0000
/** No sequence of a block makes more than 255 bytes of one. */
const expansionMax = 255
/** What most frames unpack to is within so many times their bytes. */
const roomAhead = 8

const blockSizes = new Map([
  [4, 64 * 1024],
  [5, 256 * 1024],
  [6, 1024 * 1024],
  [7, 4 * 1024 * 1024],
])

type Block = Lz4Block & { isStored: boolean }
type Frame = { isLinked: boolean; hasContentChecksum: boolean; blocks: Block[]; end: number }

const checked = (bytes: Buffer, start: number, end: number, checksum: number): void => {
  if (xxh32(bytes, start, end) !== checksum) throw new CompressionError('an lz4 frame does not match its checksum')
}

/** Walks the frame without unpacking it. `trustHeader`: its checksum was made over the right bytes. */
function frameOf(bytes: Buffer, trustHeader: boolean): Frame {
  const cut = () => new CompressionError('an lz4 frame is cut short')
  if (bytes.length < 7) throw cut()
  if (bytes.readUInt32LE(0) !== magic) throw new CompressionError('not an lz4 frame')
  const flags = bytes[4]!
  if ((flags & 0xc0) !== version || (flags & dictionary) !== 0) throw new CompressionError('unknown lz4 frame flags')
  const blockBytesMax = blockSizes.get((bytes[5]! >> 4) & 7)
  if (blockBytesMax === undefined) throw new CompressionError('unknown lz4 block size')
  let position = (flags & contentSize) === 0 ? 7 : 15
  if (bytes.length < position) throw cut()
  if (trustHeader && ((xxh32(bytes, 4, position - 1) >>> 8) & 0xff) !== bytes[position - 1]) {
    throw new CompressionError('an lz4 header does not match its checksum')
  }
  const blocks: Block[] = []
  while (true) {
    if (bytes.length - position < 4) throw cut()
    const word = bytes.readUInt32LE(position)
    position += 4
    if (word === 0) break
    const isStored = word >= stored
    const length = isStored ? word - stored : word
    if (length > bytes.length - position) throw cut()
    if (length > blockBytesMax && isStored) throw new CompressionError('an lz4 block exceeds the declared size')
    const outputMax = isStored ? length : Math.min(blockBytesMax, length * expansionMax)
    blocks.push({ start: position, length, isStored, outputMax })
    position += length
    if ((flags & blockChecksums) === 0) continue
    if (bytes.length - position < 4) throw cut()
    checked(bytes, position - length, position, bytes.readUInt32LE(position))
    position += 4
  }
  const hasContentChecksum = (flags & contentChecksum) !== 0
  if (hasContentChecksum && bytes.length - position < 4) throw cut()
  // A declared size is what a decoder may set aside at once.
  if ((flags & contentSize) !== 0 && bytes.readBigUInt64LE(6) > BigInt(outputMaxOf(blocks))) {
    throw new CompressionError('an lz4 frame declares more than it can hold')
  }
  return { isLinked: (flags & independent) === 0, hasContentChecksum, blocks, end: position }
}

function outputMaxOf(blocks: readonly Block[]): number {
  let total = 0
  for (const block of blocks) total += block.outputMax
  return total
}

export function uncompressLz4(bytes: Buffer, bytesMax: number, trustHeader: boolean, room: Room): Buffer {
  const { isLinked, hasContentChecksum, blocks, end } = frameOf(bytes, trustHeader)
  const frame = new Pieces(bytes)
  const most = outputMaxOf(blocks)
  let output = new Pieces(room(Math.min(most, bytesMax, bytes.length * roomAhead)))
  let filled = 0
  for (const block of blocks) {
    const { start, length, isStored, outputMax } = block
    if (filled + outputMax + slackBytes > output.bytes.length) {
      // Rare: it was packed far better than most, or it lies about its blocks, and then the limit comes first.
      const grown = new Pieces(Buffer.allocUnsafe(Math.max(filled + outputMax, 2 * output.bytes.length) + slackBytes))
      output.bytes.copy(grown.bytes, 0, 0, filled)
      output = grown
    }
    if (isStored) filled += bytes.copy(output.bytes, filled, start, start + length)
    else filled = uncompressLz4Block(frame, block, output, filled, isLinked ? 0 : filled)
    if (filled > bytesMax) throw new DecompressionLimit(bytesMax)
  }
  if (hasContentChecksum) checked(output.bytes, 0, filled, bytes.readUInt32LE(end))
  return output.bytes.subarray(0, filled)
}

const writtenHeader = Buffer.from('04224d18604082', 'hex')
const writtenBlockBytes = 64 * 1024

export function compressLz4(bytes: Buffer): Buffer {
  const codec = native()
  if (codec) return codec.compressFrameSync(bytes)
  const parts: Buffer[] = [writtenHeader]
  const table = new Uint32Array(1 << 16)
  // An incompressible block grows by a byte in 255 and a little.
  const packed = Buffer.alloc(writtenBlockBytes + Math.ceil(writtenBlockBytes / 255) + 16)
  for (let start = 0; start < bytes.length; start += writtenBlockBytes) {
    const block = bytes.subarray(start, start + writtenBlockBytes)
    // A fresh table makes the block independent of those before it.
    const length = script().compressBlock(block, packed, 0, block.length, table.fill(0))
    const head = Buffer.alloc(4)
    const isStored = length === 0 || length >= block.length
    head.writeUInt32LE(isStored ? stored + block.length : length)
    parts.push(head, isStored ? block : Buffer.from(packed.subarray(0, length)))
  }
  parts.push(Buffer.alloc(4))
  return Buffer.concat(parts)
}
