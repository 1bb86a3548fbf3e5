// What is kept of a key's values is what was put there, whatever else was kept, dropped or had to go.

import { expect, test } from 'vitest'
import { KeptValues } from '../../src/revision/kept-values.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { Words } from '../../src/revision/value-memory.ts'
import { drawing, noise } from './delta-pairs.ts'
import { eachSeed } from './pack-stage.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
const soakSeconds = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)
const none = -1

function kept(values: KeptValues, key: number, entry: number, size: number): Buffer | undefined {
  return values.find(key, entry) ? Buffer.from(values.words.bytes.subarray(values.at, values.at + size)) : undefined
}

test('a value is kept until it is dropped or another one takes its place', () => {
  const values = new KeptValues(new PackCache().room(), 3, 300)
  const [first, second] = [Buffer.from('a first value'), Buffer.from('a second one that is much longer than the first')]
  values.keep(1, 10, none, new Words(first), 0, first.length)
  values.keep(2, 20, none, new Words(first), 2, first.length - 2)
  values.keep(1, 11, 10, new Words(second), 0, second.length)
  expect(kept(values, 1, 10, 1)).toBeUndefined()
  expect(kept(values, 1, 11, second.length)).toEqual(second)
  expect(kept(values, 2, 20, first.length - 2)).toEqual(first.subarray(2))
  values.drop(1, 11)
  expect(kept(values, 1, 11, 1)).toBeUndefined()
  expect(kept(values, 0, 0, 1)).toBeUndefined()
})

test('two readers at different places keep a value and an anchor each, and a third one takes the oldest', () => {
  const values = new KeptValues(new PackCache().room(), 1, 100)
  const value = new Words(Buffer.from('value'))
  for (const entry of [3, 16, 40, 48]) values.keep(0, entry, none, value, 0, 5)
  for (const entry of [3, 16, 40, 48]) expect(values.find(0, entry)).toBe(true)
  values.keep(0, 70, none, value, 0, 5)
  expect([3, 16, 40, 48, 70].map((entry) => values.find(0, entry))).toEqual([false, true, true, true, true])
})

test.each([true, false])('of any number of keys no value is another one (with room for all: %s)', (hasRoom) => {
  eachSeed(seed, 8, soakSeconds / 2, (seed) => {
    const draw = drawing(seed)
    const keyCount = 1 + draw(100)
    const size = 1 + draw(600)
    const cache = new PackCache({ blocks: 1, values: hasRoom ? 64 << 20 : 4 * keyCount * size, batches: 1 })
    const values = new KeptValues(cache.room(), keyCount, (keyCount * size) / (hasRoom ? 1 : 8))
    const newest = new Map<number, { entry: number; value: Buffer }>()
    for (let i = 0; i < 1000; i++) {
      const key = draw(keyCount)
      const known = newest.get(key)
      if (known !== undefined) {
        const found = kept(values, key, known.entry, known.value.length)
        const isRight = found === undefined ? !hasRoom : found.equals(known.value)
        if (!isRight || values.find(key, known.entry - 1)) expect.fail(`entry ${known.entry} is kept as another one`)
        values.touch(key)
        if (draw(10) === 0) {
          values.drop(key, known.entry)
          newest.delete(key)
          continue
        }
      }
      const value = noise(draw, draw(2) === 0 ? size : draw(2 * size))
      const entry = key * 1000 + i
      values.keep(key, entry, known?.entry ?? none, new Words(value), 0, value.length)
      newest.set(key, { entry, value })
    }
  })
})

test('a reader that goes on for long finds no value under a number that was used before', () => {
  const keyCount = 70_000
  // Nothing was expected, so each value has a slab of its own.
  const values = new KeptValues(new PackCache().room(), keyCount, -64 * keyCount)
  const value = Buffer.alloc(4)
  for (let key = 0; key < keyCount; key++) {
    value.writeInt32LE(key)
    values.keep(key, key, none, new Words(value), 0, 4)
  }
  const found = Array.from({ length: keyCount }, (_, key) => key).filter((key) => values.find(key, key))
  expect(found.length).toBe(keyCount - 65_536)
  expect(found.every((key) => kept(values, key, key, 4)?.readInt32LE() === key)).toBe(true)
})
