// Bases that nobody has any more: a merge of JSON members says so instead of taking an older one.

import { expect, test } from 'vitest'
import { Lineage, type LineageRecord } from '../../src/branch/lineage.ts'
import { World } from './merge-world.ts'

const json = (x: number, y: number) => JSON.stringify({ x, y })
const config = { compacts: true, minCleanableDirtyRatio: 0, deleteRetentionMs: 0 }

/** P and its branch C, which has changed `k` when P has, too. */
function stage(): World {
  const world = new World(config)
  world.root('P')
  world.write('P', ['k', json(0, 0)], ['calm', json(0, 0)])
  world.fork('P', 'C')
  return world
}

const kinds = (plan: { conflicts: readonly { kind: string }[] }) => plan.conflicts.map(({ kind }) => kind)

test.each([
  { what: 'composed', own: json(0, 5), wish: { fields: 'json' }, has: json(1, 5) },
  { what: 'preferred to', own: json(0, 5), wish: { onConflict: 'ours' }, has: json(0, 5) },
  { what: 'the same as', own: json(1, 0), wish: {}, has: json(1, 0) },
] as const)(
  'what a branch has $what its parent, whose value compaction then took, is compared with nothing older',
  async ({ own, wish, has }) => {
    const world = stage()
    world.write('C', ['k', own])
    world.write('P', ['k', json(1, 0)])
    await world.merge('P', 'C', wish)
    expect(world.state('C')).toMatchObject({ k: has })
    // It takes back what it has written, by which both have come together: with the first value as the base it would have done nothing.
    world.write('P', ['k', json(0, 0)])
    world.write('C', ['k', json(9, 5)])
    await world.compact('P')
    await world.compact('C')
    for (const [from, into] of [
      ['P', 'C'],
      ['C', 'P'],
    ] as const) {
      expect(kinds(await world.plan(from, into, { fields: 'json' }))).toEqual(['history-lost'])
      expect(kinds(await world.plan(from, into, { fields: 'json', keys: ['k'] }))).toEqual(['history-lost'])
      // Whole values need no base.
      expect(kinds(await world.plan(from, into))).toEqual(['edit/edit'])
    }
    // Who has it from the branch knows no more, nor does a start.
    world.fork('C', 'D')
    const again = new Lineage()
    for (const record of world.lineage.records()) again.apply(JSON.parse(JSON.stringify(record)) as LineageRecord)
    for (const name of ['P', 'C', 'D']) {
      expect(again.knowledge(name, 0).unheld).toEqual(world.lineage.knowledge(name, 0).unheld)
    }
    expect(kinds(await world.plan('P', 'D', { fields: 'json' }))).toEqual(['history-lost'])
  },
)

test('a value that came by way of a sibling, and is gone where it was written, is compared with nothing older', async () => {
  const world = stage()
  world.fork('P', 'S')
  world.write('P', ['k', json(1, 0)])
  await world.merge('P', 'S')
  world.write('S', ['k', json(1, 7)])
  await world.merge('S', 'C')
  world.write('C', ['k', json(2, 7)])
  world.write('P', ['k', json(0, 0)])
  await world.compact('P')
  expect(kinds(await world.plan('P', 'C', { fields: 'json' }))).toEqual(['history-lost'])
})

test('where nothing newer can be gone members are merged, however much was compacted', async () => {
  const world = stage()
  world.write('C', ['calm', json(0, 1)], ['k', json(0, 5)])
  world.write('P', ['calm', json(1, 0)])
  await world.compact('P')
  await world.compact('C')
  await world.merge('P', 'C', { fields: 'json', keys: ['calm'] })
  expect(world.state('C')).toMatchObject({ calm: json(1, 1) })
  // From here on C has a value that P does not have, and knows P's.
  world.write('P', ['k', json(1, 0)])
  await world.merge('P', 'C', { fields: 'json' })
  await world.merge('C', 'P', { fields: 'json' })
  expect(world.state('P')).toMatchObject({ k: json(1, 5), calm: json(1, 1) })
  // What has come to P since is newer than what may be gone there.
  world.write('C', ['k', json(1, 6)])
  world.write('P', ['k', json(2, 5)])
  await world.compact('P')
  await world.compact('C')
  await world.merge('P', 'C', { fields: 'json' })
  expect(world.state('C')).toMatchObject({ k: json(2, 6) })
})

test('siblings whose parent is compacted, and they too, merge members by what all have from it', async () => {
  const world = stage()
  world.fork('P', 'S')
  world.write('C', ['k', json(1, 0)])
  world.write('S', ['k', json(0, 2)])
  world.write('P', ['k', json(3, 3)])
  for (const name of ['P', 'C', 'S']) await world.compact(name)
  await world.merge('C', 'S', { fields: 'json' })
  expect(world.state('S')).toMatchObject({ k: json(1, 2) })
})
