// A topic from which branches come and go without end does not remember them all.

import { expect, test } from 'vitest'
import { Lineage } from '../../src/branch/lineage.ts'
import { World } from './merge-world.ts'

test('branches that were merged and dropped are forgotten, and nothing that came from them is merged twice', async () => {
  const world = new World()
  world.root('P')
  world.fork('P', 'D')
  for (let i = 0; i < 20; i++) {
    world.fork('P', `b${i}`)
    world.write(`b${i}`, ['k', `v${i}`], [`k${i}`, 'v'])
    expect((await world.merge(`b${i}`, 'P')).written).toBe(2)
    world.drop(`b${i}`)
    if (i === 9) expect((await world.merge('P', 'D')).written).toBe(11)
  }
  // What D has heard of is kept for as long as it is there.
  expect(Object.keys(world.lineage.known('P', 0)).length).toBeLessThanOrEqual(10)
  expect((await world.merge('P', 'D')).written).toBe(11)
  expect((await world.merge('D', 'P')).written).toBe(0)
  expect((await world.merge('P', 'D')).written).toBe(0)
  world.write('D', ['k', 'd'])
  expect(await world.merge('D', 'P')).toMatchObject({ written: 1, conflicts: [] })
  const again = new Lineage()
  for (const record of world.lineage.records()) again.apply(record)
  expect(again.known('P', 0)).toEqual(world.lineage.known('P', 0))
  world.drop('D')
  expect(Object.keys(world.lineage.known('P', 0))).toEqual([])
})
