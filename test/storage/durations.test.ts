// What is told of durations is true to a quarter, whatever they are.

import { expect, test } from 'vitest'
import { Durations, durationBounds } from '../../src/storage/durations.ts'

test('quantiles lie at most a quarter above what was noted, and never above the longest', () => {
  const durations = new Durations()
  const noted = Array.from({ length: 10_000 }, (_, i) => 0.01 * 1.0015 ** i)
  for (const ms of noted) durations.note(ms)
  for (const part of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = noted[Math.ceil(part * noted.length) - 1]!
    expect(durations.quantile(part)).toBeGreaterThanOrEqual(exact * 0.999)
    expect(durations.quantile(part)).toBeLessThanOrEqual(exact * 1.25 + 0.001)
  }
  expect(durations.quantile(1)).toBe(noted.at(-1))
  expect(durations.count).toBe(noted.length)
})

test('counts below a bound are exact', () => {
  const durations = new Durations()
  const noted = Array.from({ length: 5_000 }, (_, i) => ((i * 7919) % 30_011) / 13)
  for (const ms of noted) durations.note(ms)
  for (const bound of durationBounds) expect(durations.countBelow(bound)).toBe(noted.filter((ms) => ms < bound).length)
})

test('nothing, less than nothing and an hour are taken as they come', () => {
  const durations = new Durations()
  expect(durations.quantile(0.5)).toBe(0)
  for (const ms of [0, -1, 3_600_000, 1e12]) durations.note(ms)
  expect([durations.count, durations.maxMs, durations.countBelow(durationBounds[0]!)]).toEqual([4, 1e12, 2])
})
