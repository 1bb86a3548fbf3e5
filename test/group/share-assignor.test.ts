// The assignor of share groups: everybody has work, every partition has a reader, nobody has much more than the others.

import { expect, test } from 'vitest'
import type { Partitions } from '../../src/group/partitions.ts'
import { countOf, each } from '../../src/group/partitions.ts'
import { assignSimply, type Sharer } from '../../src/group/share-assignor.ts'
import { numbersFrom } from '../crash/world.ts'

const sharer = (id: string, topics: string[], had: Partitions = new Map()): Sharer => ({
  id,
  topics: new Set(topics),
  had,
})
const partitions = (counts: Record<string, number>): Partitions =>
  new Map(Object.entries(counts).map(([topic, count]) => [topic, new Set(Array.from({ length: count }, (_, i) => i))]))

/** `a: t0 t1 | b: t2`. */
const shown = (targets: ReadonlyMap<string, Partitions>): string =>
  [...targets]
    .map(([id, of]) => `${id}: ${[...each(of)].map(([topic, partition]) => `${topic}${partition}`).join(' ')}`)
    .join(' | ')

test('partitions are dealt out evenly', () => {
  const members = ['a', 'b', 'c'].map((id) => sharer(id, ['t']))
  expect(shown(assignSimply(members.slice(0, 1), partitions({ t: 4 })))).toBe('a: t0 t1 t2 t3')
  expect(shown(assignSimply(members.slice(0, 2), partitions({ t: 4 })))).toBe('a: t0 t2 | b: t1 t3')
  expect(shown(assignSimply(members, partitions({ t: 4 })))).toBe('a: t0 t3 | b: t1 | c: t2')
})

test('where there are more members than partitions, several read the same one', () => {
  const members = ['a', 'b', 'c', 'd'].map((id) => sharer(id, ['t']))
  expect(shown(assignSimply(members, partitions({ t: 2 })))).toBe('a: t0 | b: t0 | c: t1 | d: t1')
})

test('members read only what they subscribe to', () => {
  const members = [sharer('a', ['t']), sharer('b', ['u']), sharer('c', [])]
  expect(shown(assignSimply(members, partitions({ t: 2, u: 1 })))).toBe('a: t0 t1 | b: u0 | c: ')
})

test('whoever comes and goes: all have work, all is read, and few have anything new', () => {
  const random = numbersFrom(20_261_121)
  for (let round = 0; round < 200; round++) {
    const topics = partitions({ t: 1 + Math.floor(8 * random()), u: Math.floor(4 * random()) })
    const total = countOf(topics)
    let targets: Map<string, Partitions> = new Map()
    for (let step = 0; step < 8; step++) {
      const ids = Array.from({ length: 12 }, (_, i) => `m${i}`).filter(() => random() < 0.6)
      if (ids.length === 0) continue
      const members = ids.map((id) => sharer(id, ['t', 'u'], targets.get(id)))
      targets = assignSimply(members, topics)
      const counts = [...targets.values()].map(countOf)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(ids.length <= total ? Math.floor(total / ids.length) : 1)
      const readers = new Map<string, number>()
      for (const target of targets.values())
        for (const [topic, partition] of each(target)) {
          readers.set(`${topic}${partition}`, (readers.get(`${topic}${partition}`) ?? 0) + 1)
        }
      expect(readers.size).toBe(total)
      // Asked again, nothing moves.
      const again = assignSimply(
        ids.map((id) => sharer(id, ['t', 'u'], targets.get(id))),
        topics,
      )
      expect([...again].map(([id, of]) => [id, [...each(of)].sort()])).toEqual(
        [...targets].map(([id, of]) => [id, [...each(of)].sort()]),
      )
    }
  }
})
