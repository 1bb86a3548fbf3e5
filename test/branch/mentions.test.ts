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

test('a topic whose branches overlap forgets those that are gone: a soak met one number for each, in every fork and merge', async () => {
  const world = new World()
  world.root('P')
  world.fork('P', 'old')
  world.write('P', ['p', '0'])
  for (let i = 0; i < 40; i++) {
    world.fork('P', `b${i}`)
    world.write(`b${i}`, ['k', `v${i}`], [`k${i}`, 'v'])
    // Two others are always there, and know what came before them.
    if (i >= 2) {
      const name = `b${i - 2}`
      expect((await world.merge(name, 'P', { onConflict: 'theirs' })).written).toBe(2)
      world.drop(name)
    }
  }
  const numbers = (name: string) => Object.keys(world.lineage.known(name, 0)).length
  expect(numbers('P')).toBeLessThan(5)
  expect(numbers('b39')).toBeLessThan(6)
  // What they have in common they have at the same offsets, and nobody brings it to anybody twice.
  expect((await world.merge('b38', 'b39', { onConflict: 'ours' })).conflicts.map(({ key }) => String(key))).toEqual([
    'k',
  ])
  expect((await world.merge('P', 'old')).written).toBe(40)
  expect((await world.merge('b39', 'old', { onConflict: 'ours' })).written).toBe(2)
  expect((await world.merge('old', 'P', { onConflict: 'theirs' })).written).toBe(2)
  expect((await world.merge('b39', 'P')).written).toBe(0)
  const again = new Lineage()
  for (const record of world.lineage.records()) again.apply(record)
  for (const name of ['P', 'old', 'b38', 'b39']) expect(again.known(name, 0)).toEqual(world.lineage.known(name, 0))
})

test('what two topics were told by merges of their own is not forgotten before one of them goes', async () => {
  const world = new World()
  world.root('P')
  world.fork('P', 'Q')
  world.fork('P', 'b')
  world.write('b', ['k', 'v'])
  expect((await world.merge('b', 'P')).written).toBe(1)
  expect((await world.merge('b', 'Q')).written).toBe(1)
  world.fork('P', 'P2')
  world.fork('Q', 'Q2')
  world.drop('b')
  for (const name of ['P', 'Q', 'P2', 'Q2']) expect(world.lineage.known(name, 0)['b']).toBe(1)
  expect((await world.merge('P2', 'Q2')).written).toBe(0)
  world.drop('Q')
  expect((await world.merge('Q2', 'P')).written).toBe(0)
  // Q2 alone has it at other offsets than P and P2.
  for (const name of ['P', 'P2', 'Q2']) expect(world.lineage.known(name, 0)['b']).toBe(1)
  world.drop('Q2')
  for (const name of ['P', 'P2']) expect(world.lineage.known(name, 0)['b']).toBeUndefined()
  expect((await world.merge('P2', 'P')).written).toBe(0)
})

test('a fork and a merge that were planned before a branch was forgotten do not bring it back', async () => {
  const world = new World()
  world.root('P')
  world.fork('P', 'b')
  world.write('b', ['k', 'v'])
  await world.merge('b', 'P')
  world.fork('P', 'c')
  world.write('c', ['k2', 'v'])
  await world.merge('c', 'P', { meanwhile: () => world.drop('b') })
  world.drop('c')
  expect(world.lineage.known('P', 0)).toEqual({})
})
