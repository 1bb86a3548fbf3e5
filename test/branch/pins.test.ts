// What compaction leaves to a branch because its parent knows it: base values, and the deletions that hide them.

import { expect, test } from 'vitest'
import { World } from './merge-world.ts'

const json = (x: number, y: number) => JSON.stringify({ x, y })
const config = { compacts: true, minCleanableDirtyRatio: 0, deleteRetentionMs: 0 }

async function compactAgainAndAgain(world: World, name: string): Promise<void> {
  for (let i = 0; i < 4; i++) {
    world.now += 1000
    await world.compact(name)
  }
}

/** What the branch deletes outlives any number of compactions there, and reaches its parent. */
async function deleteInBoth(world: World): Promise<void> {
  world.write('C', ['k', null])
  await compactAgainAndAgain(world, 'C')
  expect(world.state('C')).toMatchObject({ k: null })
  await world.merge('C', 'P')
  expect(world.state('P')).toMatchObject({ k: null })
}

const valuesOf = (world: World, name: string, wanted: string) =>
  world
    .records(name)
    .filter(({ key }) => key === wanted)
    .map(({ value }) => value)

test('what was merged and then deleted in a branch does not come to life again, however old the deletion is', async () => {
  const world = new World(config)
  world.root('P')
  world.fork('P', 'C')
  world.write('C', ['k', '1'])
  await world.merge('C', 'P')
  await deleteInBoth(world)
  // Both know of it now.
  await compactAgainAndAgain(world, 'C')
  expect(valuesOf(world, 'C', 'k')).toEqual([])
})

test('a branch keeps what a merge has brought from its parent as the base of the next one', async () => {
  const world = new World(config)
  world.root('P')
  world.write('P', ['k', json(0, 0)])
  world.fork('P', 'C')
  world.write('P', ['k', json(1, 0)])
  await world.merge('P', 'C')
  world.write('C', ['k', json(0, 0)])
  world.write('P', ['k', json(1, 1)])
  await world.compact('P')
  await world.compact('C')
  expect(valuesOf(world, 'C', 'k')).toEqual([json(0, 0), json(1, 0), json(0, 0)])
  await world.merge('C', 'P', { fields: 'json' })
  expect(world.state('P')).toMatchObject({ k: json(0, 1) })
})

test('what a merge has brought from the parent and the branch has deleted is deleted in the parent too', async () => {
  const world = new World(config)
  world.root('P')
  world.fork('P', 'C')
  world.write('P', ['k', '1'])
  await world.merge('P', 'C')
  await deleteInBoth(world)
})

test('what came from a sibling, of which the parent knows nothing, is not kept', async () => {
  const world = new World(config)
  world.root('P')
  world.fork('P', 'C')
  world.fork('P', 'S')
  world.write('S', ['k', '1'])
  await world.merge('S', 'C')
  world.write('C', ['k', '2'])
  await world.compact('C')
  expect(valuesOf(world, 'C', 'k')).toEqual(['2'])
})

test('what was kept for a parent stays deleted when the parent is gone', async () => {
  const world = new World(config)
  world.root('P')
  world.fork('P', 'C')
  world.write('C', ['k', '1'])
  await world.merge('C', 'P')
  world.write('C', ['k', null])
  await world.compact('C')
  world.drop('P')
  await compactAgainAndAgain(world, 'C')
  expect(world.state('C')).toMatchObject({ k: null })
})
