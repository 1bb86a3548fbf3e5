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

const require = createRequire(import.meta.url)

type Native = { compressFrameSync: (bytes: Buffer) => Buffer; decompressFrameSync: (bytes: Buffer) => Buffer }
type Script = {
  decompressBlock: (source: Uint8Array, target: Uint8Array, start: number, length: number, at: number) => number
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
const version = 0x40
const stored = 0x8000_0000
/** No sequence of a block makes more than 255 bytes of one. */
const expansionMax = 255

const blockSizes = new Map([
  [4, 64 * 1024],
  [5, 256 * 1024],
  [6, 1024 * 1024],
  [7, 4 * 1024 * 1024],
])

type Block = { start: number; length: number; stored: boolean; outputMax: number }

/** Walks the frame without unpacking it. */
function blocksOf(bytes: Buffer): Block[] {
  const cut = () => new CompressionError('an lz4 frame is cut short')
  if (bytes.length < 7) throw cut()
  if (bytes.readUInt32LE(0) !== magic) throw new CompressionError('not an lz4 frame')
  const flags = bytes[4]!
  if ((flags & 0xc0) !== version || (flags & dictionary) !== 0) throw new CompressionError('unknown lz4 frame flags')
  const blockBytesMax = blockSizes.get((bytes[5]! >> 4) & 7)
  if (blockBytesMax === undefined) throw new CompressionError('unknown lz4 block size')
  let position = (flags & contentSize) === 0 ? 7 : 15
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
    blocks.push({ start: position, length, stored: isStored, outputMax })
    position += length
    if ((flags & blockChecksums) !== 0) position += 4
  }
  if ((flags & contentChecksum) !== 0 && bytes.length - position < 4) throw cut()
  // A declared size is what a decoder may set aside at once.
  if ((flags & contentSize) !== 0 && bytes.readBigUInt64LE(6) > BigInt(outputMaxOf(blocks))) {
    throw new CompressionError('an lz4 frame declares more than it can hold')
  }
  return blocks
}

function outputMaxOf(blocks: Block[]): number {
  let total = 0
  for (const block of blocks) total += block.outputMax
  return total
}

export function uncompressLz4(bytes: Buffer, bytesMax: number, trustHeader: boolean): Buffer {
  const blocks = blocksOf(bytes)
  const codec = native()
  // The native codec has no limit of its own: it gets a frame only when no lie in it can exceed ours.
  if (codec && trustHeader && outputMaxOf(blocks) <= bytesMax) {
    try {
      return codec.decompressFrameSync(bytes)
    } catch (cause) {
      throw new CompressionError('not an lz4 frame', { cause })
    }
  }
  return uncompressBlocks(bytes, blocks, bytesMax)
}

function uncompressBlocks(bytes: Buffer, blocks: Block[], bytesMax: number): Buffer {
  // Zeroed: a block that refers to bytes it never wrote must not read what lay in memory before.
  let output = Buffer.alloc(Math.min(bytesMax, bytes.length * 4))
  let length = 0
  for (const block of blocks) {
    if (length + block.outputMax > output.length) {
      const room = Buffer.alloc(Math.max(length + block.outputMax, Math.min(output.length * 2, bytesMax)))
      room.set(output.subarray(0, length))
      output = room
    }
    const end = block.stored
      ? length + bytes.copy(output, length, block.start, block.start + block.length)
      : script().decompressBlock(bytes, output, block.start, block.length, length)
    // The package writes past the end of its target without a word; the count it returns tells.
    if (!(end <= length + block.outputMax)) throw new CompressionError('an lz4 block exceeds the declared size')
    length = end
    if (length > bytesMax) throw new DecompressionLimit(bytesMax)
  }
  return output.subarray(0, length)
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
