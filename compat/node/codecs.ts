// KafkaJS brings gzip only; the other codecs are plugged in as its documentation asks, from packages made for Node.
import kafkajs from 'kafkajs'
import lz4 from 'lz4-napi'
import snappy from 'snappyjs'
import type { Codec } from '../records.ts'

const { CompressionCodecs, CompressionTypes } = kafkajs

interface Encoded {
  readonly buffer: Buffer
}

const framedMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const framedHeaderBytes = 16 // magic, version, minimum version

export const compressionOf: { readonly [codec in Codec]: number } = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

/** Plugs in what is installed. The reasons in the answer are skips: a native codec may be missing on this machine. */
export async function plugIn(): Promise<{ readonly [codec in Codec]?: string }> {
  plug(
    CompressionTypes.Snappy,
    (plain) => Buffer.from(snappy.compress(plain)), // a raw block, as the usual KafkaJS plug-in writes it
    (packed) => unframed(packed),
  )
  plug(CompressionTypes.LZ4, lz4.compressFrameSync, lz4.decompressFrameSync)
  try {
    const zstd = await import('@cloudpss/zstd')
    plug(
      CompressionTypes.ZSTD,
      (plain) => Buffer.from(zstd.compress(plain)),
      (packed) => Buffer.from(zstd.decompress(packed)),
    )
    return {}
  } catch (problem) {
    return { zstd: `no zstd codec for KafkaJS on this machine: ${(problem as Error).message}` }
  }
}

function plug(type: number, pack: (plain: Buffer) => Buffer, unpack: (packed: Buffer) => Buffer): void {
  // KafkaJS's own types list four codecs and forget that `none` is a compression type.
  const plugged = CompressionCodecs as { [type: number]: () => unknown }
  plugged[type] = () => ({
    compress: async (encoder: Encoded) => pack(encoder.buffer),
    decompress: async (packed: Buffer) => unpack(packed),
  })
}

/** The Java library's framing (magic, versions, then int32 length + raw block each) or one raw block. */
function unframed(packed: Buffer): Buffer {
  if (!packed.subarray(0, framedMagic.length).equals(framedMagic)) return Buffer.from(snappy.uncompress(packed))
  const blocks: Buffer[] = []
  for (let at = framedHeaderBytes; at < packed.length; ) {
    const byteCount = packed.readInt32BE(at)
    at += 4
    blocks.push(Buffer.from(snappy.uncompress(packed.subarray(at, at + byteCount))))
    at += byteCount
  }
  return Buffer.concat(blocks)
}
