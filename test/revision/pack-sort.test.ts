// Numbers that are sorted a slice at a time are the same numbers, sorted.

import { expect, test } from 'vitest'
import { sorting, sortPairs } from '../../src/revision/pack-sort.ts'
import { drawing } from './delta-pairs.ts'

test.each([0, 1, 8191, 8192, 8193, 16_384, 50_000])('%i numbers, with equal ones among them', (count) => {
  const draw = drawing(count)
  const numbers = Float64Array.from({ length: count }, () => draw(30_000) - 15_000)
  const expected = numbers.slice().sort()
  const walk = sorting(numbers)
  let slices = 0
  let step = walk.next()
  for (; step.done !== true; step = walk.next()) slices++
  expect(step.value).toEqual(expected)
  expect(slices).toBeGreaterThanOrEqual(Math.ceil(count / 8192))
})

test.each([0, 1, 1000, 9000])('%i numbers take along what stands beside them', (count) => {
  const draw = drawing(count + 1)
  for (const most of [5, 3000, 5_000_000, 0x7fff_ffff]) {
    const numbers = Int32Array.from({ length: count + 2 }, () => draw(most))
    const beside = Int32Array.from({ length: count + 2 }, (_, i) => i)
    const pairs = Array.from(beside, (i) => [numbers[i]!, i] as const)
    const expected = [...pairs.slice(0, count).sort(([a], [b]) => a - b), ...pairs.slice(count)]
    sortPairs(numbers, beside, count)
    expect(Array.from(numbers, (number, i) => [number, beside[i]!])).toEqual(expected)
  }
})
