// Codecs: what goes in comes out, from every writer we know, and no input takes more memory than was allowed.

import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

type Compression = typeof import('../../protocol/records/compression.ts')

const [none, gzip, snappy, lz4, zstd] = [0, 1, 2, 3, 4]
const packing = [gzip, snappy, lz4, zstd] as const
const mib = 1024 * 1024
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Text with repetitions of every distance, so that blocks, windows and literals all come up. */
function prose(length: number): Buffer {
  const words = ['offset', 'partition', 'batch', 'leader', 'epoch', 'zigzag', '{"k":', '}\n', 'ß', 'record']
  let seed = 1
  let text = ''
  while (text.length < length) {
    seed = (seed * 48271) % 2147483647
    text += `${words[seed % words.length]}${seed % 977} `
  }
  return Buffer.from(text).subarray(0, length)
}

async function load(noNative: string): Promise<Compression> {
  vi.stubEnv('TWIGLOG_NO_NATIVE', noNative)
  vi.resetModules()
  const module = await import('../../protocol/records/compression.ts')
  module.codecsLoaded()
  vi.unstubAllEnvs()
  return module
}

describe.each([
  ['native packages', ''],
  ['JavaScript alone', '1'],
])('codecs with %s', (_, noNative) => {
  let codec: Compression
  let other: Compression
  beforeAll(async () => {
    other = await load(noNative === '' ? '1' : '')
    codec = await load(noNative)
  })
  afterAll(() => vi.resetModules())

  test('every codec gives back what it was given, whatever the size', () => {
    for (const length of [0, 1, 12, 100, 32768, 32769, 65536, 65537, 131072, 131073, 300000, 4 * mib + 1]) {
      const bytes = prose(length)
      for (const number of [none, ...packing]) {
        const packed = codec.compress(number, bytes)
        expect(codec.decompress(number, packed, length).equals(bytes), `${codec.codecs[number]} ${length}`).toBe(true)
        // What one implementation writes the other reads.
        expect(other.decompress(number, packed, length).equals(bytes), `${codec.codecs[number]} ${length}`).toBe(true)
      }
    }
  })

  test('every codec gives back noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (noise) => {
        const bytes = Buffer.from(noise)
        for (const number of packing) {
          expect(codec.decompress(number, codec.compress(number, bytes), bytes.length).equals(bytes)).toBe(true)
        }
      }),
    )
  })

  test('snappy is read in the Java framing, in one raw block, and in a stream that starts over', () => {
    const bytes = prose(70000)
    const framed = codec.compress(snappy, bytes)
    expect(framed.subarray(0, 16)).toEqual(hex('82 534e41505059 00 00000001 00000001'))
    const raw = hex('05 10 68656c6c6f')
    expect(codec.decompress(snappy, raw, 100).toString()).toBe('hello')
    const twice = Buffer.concat([framed, framed])
    expect(codec.decompress(snappy, twice, 140000).equals(Buffer.concat([bytes, bytes]))).toBe(true)
  })

  test('lz4 frames have independent blocks, which is all that Java reads', () => {
    const flags = codec.compress(lz4, prose(100000))[4]!
    expect(flags & 0x20).toBe(0x20)
  })

  test('lz4 frames with content size and checksums, stored and linked blocks are read', () => {
    const stored = '05000080 68656c6c6f'
    // Literals "hello", and in a second block one literal and a match of five, six bytes back, across the border.
    const linked = '06000000 50 68656c6c6f 05000000 11 21 0600 00'
    expect(codec.decompress(lz4, hex(`04224d18 60 40 82 ${stored} 00000000`), 100).toString()).toBe('hello')
    const withSizes = hex(`04224d18 68 40 0500000000000000 2e ${stored} 00000000`)
    expect(codec.decompress(lz4, withSizes, 100, 0).toString()).toBe('hello')
    const withChecksums = hex(`04224d18 74 40 bd ${stored} f97700fb 00000000 f97700fb`)
    expect(codec.decompress(lz4, withChecksums, 100).toString()).toBe('hello')
    expect(codec.decompress(lz4, hex(`04224d18 40 40 c0 ${linked} 00000000`), 100).toString()).toBe('hello!hello')
  })

  test('an lz4 frame whose header, block or content does not match its checksum is refused', () => {
    const frame = hex('04224d18 74 40 bd 05000080 68656c6c6f f97700fb 00000000 f97700fb')
    for (const at of [6, 12, 16, frame.length - 1]) {
      const damaged = Buffer.from(frame)
      damaged[at]! ^= 1
      expect(() => codec.decompress(lz4, damaged, 100), `byte ${at}`).toThrow(codec.CompressionError)
    }
  })

  test('a wrong lz4 header checksum is passed over in the oldest message format, which computed it wrongly', () => {
    const frame = hex('04224d18 60 40 00 05000080 68656c6c6f 00000000')
    expect(codec.decompress(lz4, frame, 100, 0).toString()).toBe('hello')
  })

  test('zstd frames with stored blocks and runs are read', () => {
    expect(codec.decompress(zstd, hex('28b52ffd 20 05 290000 68656c6c6f'), 100).toString()).toBe('hello')
    expect(codec.decompress(zstd, hex('28b52ffd 00 00 2b0000 61'), 100).toString()).toBe('aaaaa')
  })

  test('an unknown codec is named as such', () => {
    for (const number of [5, 6, 7]) {
      expect(() => codec.decompress(number, Buffer.alloc(4), 100)).toThrow(codec.UnsupportedCompression)
      expect(() => codec.compress(number, Buffer.alloc(4))).toThrow(codec.UnsupportedCompression)
    }
  })

  describe('hostile input', () => {
    const bomb = Buffer.alloc(64 * mib)
    const grown = (run: () => void): number => {
      const before = process.memoryUsage()
      run()
      const after = process.memoryUsage()
      return after.rss - before.rss
    }

    test('a bomb stops at the limit', () => {
      for (const number of packing) {
        const packed = codec.compress(number, bomb)
        const growth = grown(() =>
          expect(() => codec.decompress(number, packed, mib), codec.codecs[number]).toThrow(codec.DecompressionLimit),
        )
        expect(growth, codec.codecs[number]).toBeLessThan(24 * mib)
      }
    })

    test('a zstd bomb that does not say how long it is stops at the limit', () => {
      // Frames of 4,096 runs of 128 KiB: half a gigabyte in 16 KiB.
      const run = hex('020010 00')
      const frame = Buffer.concat([hex('28b52ffd 00 58'), Buffer.concat(Array(4095).fill(run)), hex('030010 00')])
      const growth = grown(() => expect(() => codec.decompress(zstd, frame, mib)).toThrow(codec.DecompressionLimit))
      expect(growth).toBeLessThan(24 * mib)
    })

    test('a lie about the size takes no memory', () => {
      const lies: [number, string][] = [
        // 4 GiB - 1 in a raw block, and in a framed one.
        [snappy, 'ffffffff0f 10 68656c6c6f'],
        [snappy, '82534e4150505900 00000001 00000001 0000000b ffffffff0f 10 68656c6c6f'],
        // A block of 2 GiB - 1 and one of a negative length.
        [snappy, '82534e4150505900 00000001 00000001 7fffffff 05 10 68656c6c6f'],
        [snappy, '82534e4150505900 00000001 00000001 ffffffff 05 10 68656c6c6f'],
        // An lz4 frame of 2^62 bytes; a block of 2 GiB - 1.
        [lz4, '04224d18 68 40 0000000000000040 00 05000080 68656c6c6f 00000000'],
        [lz4, '04224d18 60 40 82 ffffffff 68656c6c6f 00000000'],
        // A zstd segment of 2^62 bytes; a window of 2^41.
        [zstd, '28b52ffd e0 0000000000000040 290000 68656c6c6f'],
        [zstd, '28b52ffd 00 ff 2b0000 61'],
      ]
      for (const [number, text] of lies) {
        const growth = grown(() =>
          expect(() => codec.decompress(number, hex(text), 16 * mib), text).toThrow(codec.CompressionError),
        )
        expect(growth, text).toBeLessThan(24 * mib)
      }
    })

    test('every truncation of packed bytes is an error or a shorter prefix, never more', () => {
      const bytes = prose(400)
      for (const number of packing) {
        const packed = codec.compress(number, bytes)
        for (let end = 0; end < packed.length; end++) {
          let out: Buffer | undefined
          try {
            out = codec.decompress(number, packed.subarray(0, end), 1000)
          } catch (error) {
            expect(error).toBeInstanceOf(codec.CompressionError)
          }
          if (out) expect(bytes.subarray(0, out.length).equals(out), `${codec.codecs[number]} ${end}`).toBe(true)
        }
      }
    })

    test('damaged packed bytes end in an error or in some bytes within the limit', () => {
      const bytes = prose(2000)
      for (const number of packing) {
        const packed = codec.compress(number, bytes)
        fc.assert(
          fc.property(
            fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
            (edits) => {
              const damaged = Buffer.from(packed)
              for (const [at, byte] of edits) damaged[at] = byte
              try {
                expect(codec.decompress(number, damaged, 4000).length).toBeLessThanOrEqual(4000)
              } catch (error) {
                expect(error).toBeInstanceOf(codec.CompressionError)
              }
            },
          ),
          { numRuns: 300 },
        )
      }
    })

    test('noise ends in an error', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(...packing), (noise, number) => {
          try {
            expect(codec.decompress(number, Buffer.from(noise), 4000).length).toBeLessThanOrEqual(4000)
          } catch (error) {
            expect(error).toBeInstanceOf(codec.CompressionError)
          }
        }),
      )
    })

    test('the limit itself is allowed, one byte less is not', () => {
      const bytes = prose(5000)
      for (const number of [none, ...packing]) {
        const packed = codec.compress(number, bytes)
        expect(codec.decompress(number, packed, 5000)).toHaveLength(5000)
        expect(() => codec.decompress(number, packed, 4999)).toThrow(codec.DecompressionLimit)
      }
      expect(() => codec.decompress(gzip, gzipSync(bytes), 0)).toThrow(codec.DecompressionLimit)
    })
  })
})

test('the fallbacks are at work where native packages are forbidden', async () => {
  const { codecsLoaded } = await load('1')
  expect(codecsLoaded()).toEqual({
    crc32c: 'crc-32',
    gzip: 'node:zlib',
    snappy: 'snappyjs',
    lz4: 'lz4js',
    zstd: 'fzstd',
  })
})
