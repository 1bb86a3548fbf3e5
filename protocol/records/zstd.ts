// Zstandard by the best means at hand: node:zlib (22.15 and later), then @cloudpss/zstd (not in threads), then fzstd, which only reads.
// Where none can write, a frame of stored blocks is written instead: valid for every reader, only not smaller.
//
//   28 b5 2f fd | descriptor | [window] | [dictionary id] | [content size] | blocks | [checksum]
//   descriptor: bits 7-6 width of the content size, 5 single segment, 2 checksum, 1-0 dictionary
//   block: 3 bytes little-endian = last | kind << 1 (0 stored, 1 run, 2 packed) << 3 size; at most 128 KiB unpacked

import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import * as zlib from 'node:zlib'
import { nativeAllowed } from '../native.ts'
import { CompressionError, DecompressionLimit } from './compression-error.ts'

const require = createRequire(import.meta.url)

/** Of a block, unpacked. */
const blockBytesMax = 128 * 1024

type Codec = {
  name: string
  uncompress: (bytes: Buffer, bytesMax: number) => Buffer
  compress: (bytes: Buffer, level: number) => Buffer
}

// Node 20 has no types for what Node 22 brought.
type BuiltIn = {
  zstdDecompressSync: (bytes: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Buffer
  zstdCompressSync: (bytes: Buffer, options: { params: Record<number, number> }) => Buffer
  constants: { ZSTD_c_compressionLevel: number }
}

/** Most frames unpack to less than this: one chunk is enough, and none is far larger than need be. */
const chunkBytes = (bytes: Buffer): number => Math.min(blockBytesMax, Math.max(4096, 8 * bytes.length))

function builtIn(): Codec | undefined {
  const node = zlib as unknown as BuiltIn
  if (!nativeAllowed() || typeof node.zstdDecompressSync !== 'function') return undefined
  return {
    name: 'node:zlib',
    uncompress: (bytes, bytesMax) =>
      node.zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, bytesMax), chunkSize: chunkBytes(bytes) }),
    compress: (bytes, level) =>
      node.zstdCompressSync(bytes, { params: { [node.constants.ZSTD_c_compressionLevel]: level } }),
  }
}

type Binding = {
  compress: (bytes: Buffer, level: number) => Buffer
  decompress: (bytes: Buffer, sizeBelow: number) => Buffer
  Decompressor: new () => {
    data: (bytes: Buffer, onOutput: (output: Buffer) => void) => void
    end: (onOutput: (output: Buffer) => void) => void
  }
}

/**
 * For the main thread alone: one context of the library serves the whole process, and two threads that use it at once ruin what the
 * other makes, or end the process. Packing has a thread of its own, and so have programs that we may be part of.
 */
function binding(): Codec | undefined {
  if (!nativeAllowed() || !isMainThread) return undefined
  try {
    // The package's own decompress() allows 1 GiB; the binding below it takes the limit as an argument.
    const { _NapiBindings: napi } = require('@cloudpss/zstd/napi') as { _NapiBindings: Binding }
    return {
      name: '@cloudpss/zstd',
      uncompress: (bytes, bytesMax) => uncompressByBinding(napi, bytes, bytesMax),
      compress: napi.compress,
    }
  } catch {
    return undefined
  }
}

function uncompressByBinding(napi: Binding, bytes: Buffer, bytesMax: number): Buffer {
  try {
    return napi.decompress(bytes, bytesMax + 1)
  } catch (cause) {
    // A frame without a content size is refused for what its blocks could hold: near the limit only counting tells.
    if (!isTooLarge(cause)) throw cause
  }
  const parts: Buffer[] = []
  let length = 0
  const count = (part: Buffer) => {
    length += part.length
    if (length > bytesMax) throw new DecompressionLimit(bytesMax)
    parts.push(part)
  }
  const stream = new napi.Decompressor()
  stream.data(bytes, count)
  stream.end(count)
  return Buffer.concat(parts, length)
}

const isTooLarge = (cause: unknown): boolean => cause instanceof Error && cause.message === 'Content size is too large'

type Stream = { push: (bytes: Uint8Array, last: boolean) => void }
type Script = { Decompress: new (onBlock: (block: Uint8Array) => void) => Stream }

function script(): Codec {
  return { name: 'fzstd', uncompress: uncompressByScript, compress: store }
}

/** Block by block, counting: a frame need not say how long it gets. */
function uncompressByScript(bytes: Buffer, bytesMax: number): Buffer {
  const { Decompress } = require('fzstd') as Script
  // fzstd sets aside what the frame declares as its window before it has read a block.
  if (windowOf(bytes) > Math.max(bytesMax, windowBytesAlways)) throw new DecompressionLimit(bytesMax)
  const blocks: Uint8Array[] = []
  let length = 0
  const stream = new Decompress((block) => {
    length += block.length
    if (length > bytesMax) throw new DecompressionLimit(bytesMax)
    blocks.push(block.slice())
  })
  stream.push(bytes, true)
  return Buffer.concat(blocks, length)
}

/** What every reader must be able to set aside (RFC 8878 §3.1.1.1.2). */
const windowBytesAlways = 8 * 1024 * 1024

function windowOf(bytes: Buffer): number {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== 0xfd2fb528) throw new CompressionError('not a zstd frame')
  const descriptor = bytes[4]!
  if ((descriptor & 0x20) === 0) {
    const base = 2 ** (10 + (bytes[5]! >> 3))
    return base + (base / 8) * (bytes[5]! & 7)
  }
  // A single segment: the content is its own window.
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!
  const width = [1, 2, 4, 8][descriptor >> 6]!
  if (bytes.length < at + width) throw new CompressionError('a zstd frame is cut short')
  if (width === 8) return Number(bytes.readBigUInt64LE(at))
  return bytes.readUIntLE(at, width) + (width === 2 ? 256 : 0)
}

/** One frame, one segment, a content size of four bytes, no checksum. */
function store(bytes: Buffer): Buffer {
  const head = Buffer.from('28b52ffda000000000', 'hex')
  head.writeUInt32LE(bytes.length, 5)
  const parts: Buffer[] = [head]
  let start = 0
  do {
    const end = Math.min(start + blockBytesMax, bytes.length)
    const blockHead = Buffer.alloc(3)
    blockHead.writeUIntLE((end === bytes.length ? 1 : 0) + (end - start) * 8, 0, 3)
    parts.push(blockHead, bytes.subarray(start, end))
    start = end
  } while (start < bytes.length)
  return Buffer.concat(parts)
}

let loaded: Codec | undefined
const codec = (): Codec => {
  loaded ??= builtIn() ?? binding() ?? script()
  return loaded
}

export const zstdLoaded = (): string => codec().name

export function uncompressZstd(bytes: Buffer, bytesMax: number): Buffer {
  try {
    return codec().uncompress(bytes, bytesMax)
  } catch (cause) {
    if (cause instanceof CompressionError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new DecompressionLimit(bytesMax)
    throw new CompressionError('not a zstd frame', { cause })
  }
}

export const compressZstd = (bytes: Buffer, level: number): Buffer => codec().compress(bytes, level)
