// The checksum against published values (RFC 3720 B.4) and against itself in pieces, native and not.

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

type Crc32c = typeof import('../../protocol/crc32c.ts')

/** Bit by bit, from the definition. */
function byDefinition(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0x82f6_3b78 : 0)
  }
  return (crc ^ 0xffff_ffff) >>> 0
}

describe.each([
  ['native', ''],
  ['JavaScript', '1'],
])('CRC-32C (%s)', (kind, noNative) => {
  let module: Crc32c
  beforeEach(async () => {
    vi.stubEnv('TWIGLOG_NO_NATIVE', noNative)
    vi.resetModules()
    module = await import('../../protocol/crc32c.ts')
  })
  afterEach(() => vi.unstubAllEnvs())

  test('the published values come out', () => {
    expect(module.crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(module.crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
    expect(module.crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
    expect(module.crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e)
    expect(module.crc32c(Buffer.alloc(0))).toBe(0)
  })

  test('any range, on either side of the size where the implementation changes, equals the definition', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(700), fc.nat(700), (bytes, a, b) => {
        const start = Math.min(a, b, bytes.length)
        const end = Math.min(Math.max(a, b), bytes.length)
        expect(module.crc32c(bytes, start, end)).toBe(byDefinition(bytes.subarray(start, end)))
      }),
    )
  })

  test('the checksum of two pieces is that of the whole, wherever it is cut', () => {
    const bytes = Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 7919) % 251))
    for (let cut = 0; cut <= bytes.length; cut += 13) {
      const first = module.crc32c(bytes, 0, cut)
      expect(module.crc32c(bytes, cut, bytes.length, first)).toBe(byDefinition(bytes))
    }
  })

  test('the switch that forbids native packages is obeyed', () => {
    if (kind === 'JavaScript') expect(module.crc32cLoaded()).toBe('script')
  })
})
