// A soak that cannot tell a leak from a saw proves nothing.

import { expect, test } from 'vitest'
import { tellsAfterSeconds, trendsOf } from './flat.ts'
import type { Gauges } from './gauges.ts'

const still: Omit<Gauges, 'seconds'> = {
  anonymousMb: 160,
  heldMb: 100,
  heapMb: 40,
  codeMb: 10,
  externalMb: 5,
  descriptors: 60,
  fileMaps: 150,
  maps: 300,
  delayMs: 1,
  delayMsMax: 2,
  requests: 0,
  packs: 0,
}
const hour = (of: (seconds: number) => Partial<Gauges>): Gauges[] =>
  Array.from({ length: 360 }, (_, i) => ({ ...still, seconds: i * 10, ...of(i * 10) }))
const growing = (readings: Gauges[]) =>
  trendsOf(readings)
    .filter(({ isFlat }) => !isFlat)
    .map(({ what }) => what)

test('what grows into its work and then saws is flat', () => {
  const readings = hour((s) => ({ heldMb: Math.min(100, 30 + s / 5) + ((s * 7) % 60), heapMb: 40 + (s % 90) / 3 }))
  expect(growing(readings)).toEqual([])
})

test('a kilobyte for each of a hundred thousand requests an hour, lost below a saw, is found', () => {
  expect(growing(hour((s) => ({ heldMb: 100 + (s / 3600) * 100 + ((s * 7) % 60) })))).toEqual(['heldMb'])
})

test('descriptors and maps that nobody closes are found', () => {
  expect(growing(hour((s) => ({ descriptors: 60 + s / 60, fileMaps: 150 + s / 20 })))).toEqual([
    'descriptors',
    'fileMaps',
  ])
})

test('a run says how long it has to be before it tells anything', () => {
  const readings = hour(() => ({}))
  const count = tellsAfterSeconds(10) / 10
  expect(trendsOf(readings.slice(0, count - 2))).toEqual([])
  expect(trendsOf(readings.slice(0, count + 1))).not.toEqual([])
})
