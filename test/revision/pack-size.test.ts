// What revisions may cost in a pack, footer and all. Sizes do not depend on the machine, so they are held here; times are in bench/revision.

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Chain, hops } from '../../src/revision/pack-chain.ts'
import { deltaFromAnchor, deltaFromPrevious } from '../../src/revision/pack-entries.ts'
import { document, drawing, edited, noise } from './delta-pairs.ts'
import { revisions } from './documents.ts'
import { type Made, packOf } from './pack-stage.ts'

type Revision = readonly [key: string, value: Buffer]

const oneByOne = (all: readonly Revision[]): Buffer[] => {
  const draw = drawing(5)
  let timestamp = 1_700_000_000_000
  return all.map(([key, value], baseOffset) => {
    timestamp += draw(2000)
    return encodeBatch({ baseOffset, partitionLeaderEpoch: 0, records: [{ key, value, timestamp }] })
  })
}

const share = ({ bytes }: Made, batches: readonly Buffer[]): number =>
  bytes.length / batches.reduce((sum, { length }) => sum + length, 0)

/** Bytes that xz makes of all values at once, those of a key together; undefined where there is no xz. */
function xzBytes(all: readonly Revision[]): number | undefined {
  const input = Buffer.concat(all.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value))
  const { status, stdout } = spawnSync('xz', ['-9e', '-T1', '-c'], { input, maxBuffer: 1 << 30 })
  return status === 0 ? stdout.length : undefined
}

/** Deltas to apply for an entry. */
function depth({ pack }: Made, entry: number): number {
  let count = 0
  for (let { base } = pack.entry(entry); base >= 0; base = pack.entry(base).base) count++
  return count
}

describe('revisions in a pack', () => {
  test('R12: 200 keys x 40 revisions of 4 KB JSON in an order by chance take at most 3 %', { timeout: 300_000 }, () => {
    const all = revisions(drawing(11), 200, 40, 4096)
    const batches = oneByOne(all)
    const made = packOf(batches)
    expect(share(made, batches)).toBeLessThanOrEqual(0.03)
    const xz = xzBytes(all)
    if (xz !== undefined) expect(made.bytes.length).toBeLessThanOrEqual(2 * xz)
  })

  test('R12 R13: 1,000 revisions of a 4 KB document take at most 2 %, and none needs more than 31 deltas', () => {
    const all = revisions(drawing(12), 1, 1000, 4096)
    const batches = oneByOne(all)
    const made = packOf(batches)
    expect(share(made, batches)).toBeLessThanOrEqual(0.02)
    const xz = xzBytes(all)
    if (xz !== undefined) expect(made.bytes.length).toBeLessThanOrEqual(2 * xz)
    const depths = all.map((_, entry) => depth(made, entry))
    expect(Math.max(...depths)).toBeLessThanOrEqual(31)
    expect(depths.filter((count) => count === 0)).toHaveLength(4)
  })

  test('R12: of values that nothing makes smaller take at most 102 %', () => {
    const batches = oneByOne(Array.from({ length: 600 }, (_, i) => [`k${i % 60}`, noise(drawing(i), 4096)]))
    expect(share(packOf(batches), batches)).toBeLessThanOrEqual(1.02)
  })

  test('R10: that equal the one before take 32 bytes at most', () => {
    const value = document(drawing(3), 5000)
    const all: Revision[] = Array.from({ length: 100 }, () => ['same', value])
    const { pack, bytes } = packOf(oneByOne(all))
    for (let entry = 1; entry < 100; entry++) {
      expect(pack.entry(entry).stored).toBeLessThanOrEqual(32)
      expect(pack.delta(entry)!.length).toBeLessThanOrEqual(32)
    }
    const one = packOf(oneByOne(all.slice(0, 1))).bytes.length
    expect(bytes.length - one).toBeLessThanOrEqual(99 * 32)
  })

  test('R17: of more bytes than revision.diff.max.bytes are stored full, and nothing is a delta from them', () => {
    const draw = drawing(8)
    const small = document(draw, 900)
    const all: Revision[] = [small, small, document(draw, 1001), small, small, Buffer.alloc(1000, 'a')].map((value) => [
      'k',
      value,
    ])
    const { pack } = packOf(oneByOne(all), { diffMaxBytes: 1000 })
    expect(all.map((_, entry) => pack.entry(entry).format)).toEqual([
      'full',
      'vcdiff',
      'full',
      'full',
      'vcdiff',
      'full',
    ])
    for (const [entry, [, value]] of all.entries()) expect(pack.value(entry)!.equals(value)).toBe(true)
  })

  test('that are empty are full, and so is what follows them or a tombstone', () => {
    const value = document(drawing(9), 500)
    const values = [value, Buffer.alloc(0), value, null, value, value]
    const batches = values.map((value, baseOffset) => encodeBatch({ baseOffset, records: [{ key: 'k', value }] }))
    const { pack } = packOf(batches)
    const formats = values.map((_, entry) => pack.entry(entry).format)
    expect(formats).toEqual(['full', 'full', 'full', 'tombstone', 'full', 'vcdiff'])
    expect(values.map((_, entry) => pack.value(entry))).toEqual(values)
  })
})

describe('a chain', () => {
  const draw = drawing(77)

  test('has every 16th value as a delta from the 16th before, the others from the one before', () => {
    const chain = new Chain(256, 1 << 24)
    let value = document(draw, 3000)
    const kinds = Array.from({ length: 300 }, () => {
      value = edited(draw, value, 1)
      return chain.next(value).kind
    })
    kinds.forEach((kind, i) => {
      const place = i % 256
      expect(kind).toBe(place === 0 ? 0 : place % 16 === 0 ? deltaFromAnchor : deltaFromPrevious)
    })
    expect(hops(255)).toBe(30)
  })

  test('is cut where reading one value would decode more than 16 MiB', () => {
    const chain = new Chain(256, 1 << 24)
    const bytes = 3 << 20
    const value = noise(draw, bytes)
    let length = 0
    for (let i = 0; i < 14; i++) {
      value[draw(bytes)]! ^= 1
      length = chain.next(Buffer.from(value)).kind === 0 ? 1 : length + 1
      expect((length - 1) * bytes).toBeLessThanOrEqual(16 * 1024 * 1024)
    }
    expect(length).toBe(2)
  })

  test('ends where a delta is not shorter than 60 % of the deflated value', () => {
    const chain = new Chain(256, 1 << 24)
    const half = noise(draw, 500)
    expect(chain.next(Buffer.concat([half, noise(draw, 500)])).kind).toBe(0)
    // 500 new bytes of 1,000 that do not deflate; then 700.
    expect(chain.next(Buffer.concat([half, noise(draw, 500)])).kind).toBe(deltaFromPrevious)
    expect(chain.next(Buffer.concat([half.subarray(0, 300), noise(draw, 700)])).kind).toBe(0)
  })

  test('does not take a delta for a bargain because its first value was large', () => {
    const chain = new Chain(256, 1 << 24)
    const text = document(draw, 20_000)
    expect(chain.next(text).kind).toBe(0)
    // Cut down to what deflates to less than the delta that says so.
    expect(chain.next(text.subarray(0, 20)).kind).toBe(0)
    expect(chain.next(Buffer.alloc(20_000, 'a')).kind).toBe(0)
  })
})
