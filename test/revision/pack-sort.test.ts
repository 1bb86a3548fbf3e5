// Numbers that are sorted a slice at a time are the same numbers, sorted.

import { expect, test } from 'vitest'
import { sorting } from '../../src/revision/pack-sort.ts'
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
