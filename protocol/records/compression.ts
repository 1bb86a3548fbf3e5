// The five ways in which records travel. What is unpacked is bounded: a few kilobytes that would become gigabytes stop at
// the caller's limit, before the memory is taken.

import * as zlib from 'node:zlib'
import { crc32cLoaded } from '../crc32c.ts'
import { ProtocolViolation } from '../errors.ts'
import { CompressionError, DecompressionLimit, UnsupportedCompression } from './compression-error.ts'
import { compressLz4, lz4Loaded, uncompressLz4 } from './lz4.ts'
import { ownRoom, type Room } from './room.ts'
import { compressSnappy, uncompressSnappy } from './xerial.ts'
import { compressZstd, uncompressZstd, zstdLoaded } from './zstd.ts'

export { CompressionError, DecompressionLimit, UnsupportedCompression }

/** By number, as bits 0-2 of a batch's attributes carry it. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CodecName = (typeof codecs)[number]

/** Kafka's defaults (`compression.gzip.level` -1, `compression.zstd.level` 3). lz4 and snappy have one level here. */
const gzipLevel = zlib.constants.Z_DEFAULT_COMPRESSION
const zstdLevel = 3

export function codecName(codec: number): CodecName {
  const name = codecs[codec]
  if (name === undefined) throw new UnsupportedCompression(`no codec has the number ${codec}`)
  return name
}

/**
 * Unpacks one block of records. Throws CompressionError where the bytes are not what the codec says (DecompressionLimit
 * where they would exceed `bytesMax`) and UnsupportedCompression for a number that names no codec. With `none` the
 * result is the view itself; else it may lie in `room`.
 */
export function decompress(codec: number, bytes: Buffer, bytesMax: number, magic = 2, room: Room = ownRoom): Buffer {
  const unpacked = unpack(codecName(codec), bytes, bytesMax, magic, room)
  if (unpacked.length > bytesMax) throw new DecompressionLimit(bytesMax)
  return unpacked
}

function unpack(codec: CodecName, bytes: Buffer, bytesMax: number, magic: number, room: Room): Buffer {
  try {
    switch (codec) {
      case 'none':
        return bytes
      case 'gzip':
        return uncompressGzip(bytes, bytesMax)
      case 'snappy':
        return uncompressSnappy(bytes, bytesMax, room)
      case 'lz4':
        return uncompressLz4(bytes, bytesMax, magic > 0, room)
      case 'zstd':
        return uncompressZstd(bytes, bytesMax)
    }
  } catch (cause) {
    if (cause instanceof ProtocolViolation) throw new CompressionError('the packed bytes are cut short', { cause })
    throw cause
  }
}

/** deflate makes no more than this of a byte. */
const gzipExpansionMax = 1032
const gzipChunkBytes = 64 * 1024

/** What a gzip member declares at its end, where that can be true, and a little more: in one piece nothing needs to be put together. */
function gzipRoom(bytes: Buffer, bytesMax: number): number {
  const declared = bytes.length < 18 ? 0 : bytes.readUInt32LE(bytes.length - 4)
  return declared <= Math.min(bytesMax, bytes.length * gzipExpansionMax) ? declared + 64 : gzipChunkBytes
}

/** Node wants a limit of at least one byte, so an empty allowance is checked by the caller. */
function uncompressGzip(bytes: Buffer, bytesMax: number): Buffer {
  try {
    const chunkSize = gzipRoom(bytes, bytesMax)
    return zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, bytesMax), chunkSize })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new DecompressionLimit(bytesMax)
    throw new CompressionError('not gzip', { cause })
  }
}

/** Packs one block of records, as the Java client frames it. `level` is for gzip and zstd. */
export function compress(codec: number, bytes: Buffer, level?: number): Buffer {
  switch (codecName(codec)) {
    case 'none':
      return bytes
    case 'gzip':
      return zlib.gzipSync(bytes, { level: level ?? gzipLevel })
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4(bytes)
    case 'zstd':
      return compressZstd(bytes, level ?? zstdLevel)
  }
}

/** Which implementations are at work, for the start card. Loads them all, so not for the first milliseconds. */
export function codecsLoaded(): Record<'crc32c' | Exclude<CodecName, 'none'>, string> {
  return {
    crc32c: crc32cLoaded() === 'native' ? '@node-rs/crc32' : 'crc-32',
    gzip: 'node:zlib',
    snappy: 'snappyjs',
    lz4: lz4Loaded(),
    zstd: zstdLoaded(),
  }
}
