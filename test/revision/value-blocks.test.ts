// Blocks of values lie in slabs that the cache lets go as a whole: what is in them is right while it is there, and read again when it is not.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Pack } from '../../src/revision/pack.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { drawing, noise } from './delta-pairs.ts'
import { batchesOf, packOf } from './pack-stage.ts'

const megabyte = 1024 * 1024
const valueBytes = 8192
const count = 1200

const draw = drawing(1)
const values = Array.from({ length: count }, () => noise(draw, valueBytes))
const batches = values.map((value, i) =>
  encodeBatch({ baseOffset: i, partitionLeaderEpoch: 0, records: [{ key: `k${i}`, value, timestamp: i }] }),
)

function opened(blocks: number) {
  const file = packOf(batches, {}, new PackCache(), false).file()
  const counts = { reads: 0 }
  const read = file.read.bind(file)
  file.read = (position, byteCount) => {
    counts.reads++
    return read(position, byteCount)
  }
  const cache = new PackCache({ blocks, values: megabyte, batches: megabyte })
  return { pack: Pack.open(file, cache), counts, cache }
}

test('blocks that the cache has room for are read once', () => {
  const { pack, counts, cache } = opened(64 * megabyte)
  expect(Buffer.concat(batchesOf(pack.asFile())).equals(Buffer.concat(batches))).toBe(true)
  const { reads } = counts
  for (let entry = 0; entry < count; entry++) expect(pack.value(entry)!.equals(values[entry]!)).toBe(true)
  expect(counts.reads).toBe(reads)
  pack.close()
  expect(cache.bytes).toBe(0)
})

test('blocks that had to go are read again, and are what they were', () => {
  const { pack, counts, cache } = opened(8 * megabyte)
  const held = [0, 1, 2].map((entry) => pack.value(entry)!)
  for (let round = 0; round < 2; round++) {
    expect(Buffer.concat(batchesOf(pack.asFile())).equals(Buffer.concat(batches))).toBe(true)
    expect(cache.bytes).toBeLessThan(10 * megabyte)
  }
  const { reads } = counts
  expect(pack.value(0)!.equals(values[0]!)).toBe(true)
  expect(counts.reads).toBeGreaterThan(reads)
  // What was given out is nobody's to write over.
  for (const [entry, value] of held.entries()) expect(value.equals(values[entry]!)).toBe(true)
})
