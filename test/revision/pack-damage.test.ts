// A damaged pack costs what lies in the damaged piece, and nothing else: no wrong byte, no other block, no memory without bound.

import { describe, expect, test } from 'vitest'
import { Corruption, DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { hashKey } from '../../src/revision/key-hash.ts'
import { Pack } from '../../src/revision/pack.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { guardBytes } from '../../src/revision/pack-guard.ts'
import type { File } from '../../src/storage/file.ts'
import { document, drawing, edited, noise } from './delta-pairs.ts'
import { batchesOf, eachSeed, fileOf, type Made, packOf } from './pack-stage.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
const soakSeconds = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)

/** Several blocks of each kind, in a pack that is made once. */
function large(): Made {
  const draw = drawing(1)
  const names = Array.from({ length: 700 }, (_, i) => `customer-${i}-${'of a long name '.repeat(2)}`)
  const values = names.map(() => document(draw, 150 + draw(300)))
  const batches: Buffer[] = []
  for (let offset = 0; offset < 2500; ) {
    const records = Array.from({ length: 1 + draw(4) }, () => {
      const i = draw(700)
      values[i] = edited(draw, values[i]!, 1)
      const headers = [{ key: 'trace', value: noise(draw, 30) }]
      return { key: names[i]!, value: values[i]!, timestamp: 1e12 + offset, headers }
    })
    batches.push(encodeBatch({ baseOffset: offset, records }))
    offset += records.length
  }
  return packOf(batches)
}

/** Batch for batch: what it is, or that it is damaged. Headers come from frames, which may be damaged too. */
function readEach(file: File, expected: readonly Buffer[]): { damaged: number; messages: Set<string> } {
  const messages = new Set<string>()
  let position = 0
  let damaged = 0
  for (const bytes of expected) {
    try {
      const { bytes: found } = file.read(position, bytes.length)
      if (!found.equals(bytes)) throw new Error(`another batch at offset ${batch.baseOffset(bytes, 0)}`)
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      damaged++
      messages.add(cause.message)
    }
    position += bytes.length
  }
  return { damaged, messages }
}

/** As much as comes at once; a batch that cannot be read is passed by. How many those are. */
function readThrough(file: File, expected: readonly Buffer[]): number {
  let damaged = 0
  for (let next = 0, position = 0; next < expected.length; ) {
    try {
      const { bytes } = file.read(position, 1 << 22)
      for (let at = 0; at < bytes.length; next++) {
        const batch = expected[next]!
        if (!bytes.subarray(at, at + batch.length).equals(batch)) throw new Error(`batch ${next} is another one`)
        at += batch.length
        position += batch.length
      }
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      damaged++
      position += expected[next++]!.length
    }
  }
  return damaged
}

describe('a damaged pack', () => {
  const made = large()
  const expected = batchesOf(made.pack.asFile())
  const trailerBytes = made.bytes.readUInt32LE(made.bytes.length - 8)
  const footerAt = made.bytes.readDoubleLE(made.bytes.length - trailerBytes)
  const footerBytes = made.bytes.length - trailerBytes - footerAt
  const guardAt = footerAt - guardBytes(footerBytes, trailerBytes)
  /** Pieces of parity. */
  const rows = Math.ceil(footerBytes / 512 / 16)

  test('R26: with a flipped bit gives everything that it does not hold, and names file and place for the rest', {
    timeout: 600_000,
  }, () => {
    const damages: number[] = []
    eachSeed(seed, 40, soakSeconds, (i) => {
      const draw = drawing(i)
      const bytes = Buffer.from(made.bytes)
      const at = 8 + draw(guardAt - 8)
      bytes[at]! ^= 1 << draw(8)
      const pack = Pack.open(fileOf(bytes), new PackCache())
      const { damaged, messages } = readEach(pack.asFile(), expected)
      damages.push(damaged)
      for (const message of messages) {
        const [, from, to] = /^topic-0\/0+\.pack: the block of \w+ at bytes (\d+) to (\d+) fails its checksum$/.exec(
          message,
        )!
        expect(Number(from) <= at && at < Number(to)).toBe(true)
      }
      // A read of much ends in front of the damage and goes on behind it.
      if (i % 4 === 0) expect(readThrough(Pack.open(fileOf(bytes), new PackCache()).asFile(), expected)).toBe(damaged)
    })
    expect(damages.every((damaged) => damaged < expected.length)).toBe(true)
    expect(damages.some((damaged) => damaged > 0)).toBe(true)
  })

  test('gives the keys of other blocks', () => {
    const bytes = Buffer.from(made.bytes)
    // The first block behind the head is one of values: that of the first keys.
    bytes[8 + 20]! ^= 1
    const pack = Pack.open(fileOf(bytes), new PackCache())
    let damaged = 0
    for (let ordinal = 0; ordinal < pack.keyCount; ordinal++) {
      const key = pack.key(ordinal)
      const entry = pack.newest(hashKey(key, 0, key.length), key)
      try {
        expect(pack.value(entry)).toEqual(made.pack.value(entry))
      } catch (cause) {
        if (!(cause instanceof DamagedRecords)) throw cause
        damaged++
      }
    }
    expect(damaged).toBeGreaterThan(0)
    expect(damaged).toBeLessThan(pack.keyCount / 2)
  })

  /** Everything that the footer tells. */
  const isWhole = (pack: Pack): void => {
    expect(batchesOf(pack.asFile()).every((bytes, i) => bytes.equals(expected[i]!))).toBe(true)
    expect(pack.keys()).toEqual(made.pack.keys())
  }

  test('with a flipped bit outside of its blocks gives all that it holds, and says what is wrong: it was refused as a whole', {
    timeout: 600_000,
  }, () => {
    eachSeed(seed, 150, soakSeconds, (i) => {
      const draw = drawing(i)
      const bytes = Buffer.from(made.bytes)
      const at = draw(8) === 0 ? draw(4) : guardAt + draw(bytes.length - guardAt)
      bytes[at]! ^= 1 << draw(8)
      const pack = Pack.open(fileOf(bytes), new PackCache())
      isWhole(pack)
      // Nobody looks at a guard that is not needed.
      if (at < 4 || at >= footerAt) expect(pack.damage).toMatch(/^topic-0\/0+\.pack is no whole pack: it/)
    })
  })

  test('of whose footer 512 bytes are lost gives all that it holds', { timeout: 600_000 }, () => {
    eachSeed(seed, 40, soakSeconds, (i) => {
      const draw = drawing(i)
      const bytes = Buffer.from(made.bytes)
      const at = footerAt + 512 * draw((bytes.length - footerAt) >> 9)
      bytes.fill(draw(256), at, at + 512)
      isWhole(Pack.open(fileOf(bytes), new PackCache()))
    })
  })

  test('is refused where more of its footer is damaged, or any byte in front of it is missing', {
    timeout: 600_000,
  }, () => {
    eachSeed(seed, 150, soakSeconds, (i) => {
      const draw = drawing(i)
      const bytes = Buffer.from(made.bytes)
      // One piece and, as far behind it as there are pieces of parity, another one of the same row.
      const at = footerAt + draw(bytes.length - footerAt - 512 * (rows + 2))
      bytes[at]! ^= 1
      bytes[at + 512 * rows]! ^= 1
      expect(() => Pack.open(fileOf(bytes), new PackCache())).toThrow(Corruption)
      expect(() => Pack.open(fileOf(made.bytes.subarray(0, draw(footerAt))), new PackCache())).toThrow(Corruption)
    })
    expect(() => Pack.open(fileOf(Buffer.alloc(0)), new PackCache())).toThrow(/is no whole pack: it is too short/)
    expect(() => Pack.open(fileOf(Buffer.alloc(5000)), new PackCache())).toThrow(Corruption)
  })

  test('whose blocks are all noise under a footer that is whole is clear about each of them', () => {
    const bytes = Buffer.from(made.bytes)
    const draw = drawing(seed)
    for (let at = 8; at < guardAt; at++) bytes[at] = draw(256)
    const pack = Pack.open(fileOf(bytes), new PackCache())
    expect(readEach(pack.asFile(), expected).damaged).toBe(expected.length)
    expect(() => pack.key(0)).toThrow(DamagedRecords)
    expect(() => pack.entry(0)).toThrow(DamagedRecords)
    expect(() => pack.value(0)).toThrow(DamagedRecords)
  })
})
