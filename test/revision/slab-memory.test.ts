// Memory of slabs that had to go serves those that come next, and nobody's bytes are written over while they are looked at.

import { expect, test } from 'vitest'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { SlabMemory } from '../../src/revision/slab-memory.ts'
import { Slabs } from '../../src/revision/slabs.ts'
import { largePageBytes } from '../../src/storage/large-memory.ts'

test('a slab lies where one lay that had to go, from the next run on', () => {
  const cache = new PackCache({ blocks: 4 * largePageBytes, values: 0, batches: 0 })
  const slabs = new Slabs(cache.room(), 'values', 1000 * largePageBytes, () => {})
  const next = () => {
    for (;;) {
      const slab = slabs.withRoom(1)
      slab.used = slab.words.bytes.length
      if (slab.used === largePageBytes) return slab.words.bytes
    }
  }
  // What is small at first goes before them.
  const first = Array.from({ length: 6 }, next)
  expect(new Set(first).size).toBe(6)
  cache.room().slabs.settle()
  const second = Array.from({ length: 2 }, next)
  expect(second.every((bytes) => first.slice(0, 3).includes(bytes))).toBe(true)
})

test('no more lies by than may be kept', () => {
  let most = 3 * largePageBytes
  const memory = new SlabMemory((byteCount) => byteCount <= most)
  const all = Array.from({ length: 5 }, () => memory.take(largePageBytes))
  for (const bytes of all) memory.letGo(bytes)
  memory.settle()
  const again = Array.from({ length: 5 }, () => memory.take(largePageBytes))
  expect(again.filter((bytes) => all.includes(bytes)).length).toBe(3)
  for (const bytes of again) memory.letGo(bytes)
  most = 0
  for (let times = 0; times < 3; times++) memory.settle()
  expect(again.includes(memory.take(largePageBytes))).toBe(false)
})

test('what was not kept from the beginning stays whose it was made for', () => {
  const cache = new PackCache({ blocks: 2 * largePageBytes, values: 0, batches: 0 })
  const room = cache.room()
  const slabs = new Slabs(room, 'values', 1000 * largePageBytes, () => {})
  const { words, number } = slabs.withRoom(largePageBytes)
  expect(slabs.get(number)).toBeUndefined()
  room.slabs.settle()
  expect(slabs.withRoom(largePageBytes).words.bytes === words.bytes).toBe(false)
})
