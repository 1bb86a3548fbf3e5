// What a fork knows that is made below the place where its parent itself was forked, or where a fast-forward put something. The
// same is held against a model in merge-model.test.ts.

import { expect, test } from 'vitest'
import { World } from './merge-world.ts'
import { numbered, Stage } from './stage.ts'

const append = { op: 'merge', strategy: 'append' }

test("a fork below its parent's own beginning has to be brought what stands behind it, and nothing twice", async () => {
  await using stage = await Stage.open()
  await stage.create('P')
  await stage.send('P', numbered(10))
  await stage.fork('P', 'C')
  await stage.send('C', numbered(2, 'c'))
  await stage.fork('C', 'D', { 'branch.at': 'offset:5' })
  expect(await stage.values('D', 5)).toEqual(numbered(5))
  expect(await stage.run({ ...append, id: 'm1', from: 'P', into: 'D' })).toMatchObject({ counts: { written: 5 } })
  expect(await stage.run({ ...append, id: 'm2', from: 'C', into: 'D' })).toMatchObject({ counts: { written: 2 } })
  expect(await stage.values('D', 12)).toEqual([...numbered(10), ...numbered(2, 'c')])
  expect(await stage.run({ ...append, id: 'm3', from: 'D', into: 'P' })).toMatchObject({ counts: { written: 2 } })
})

test('a fork below what a fast-forward brought knows as much of its source as it has', async () => {
  await using stage = await Stage.open()
  await stage.create('P')
  await stage.send('P', numbered(5))
  await stage.fork('P', 'C')
  await stage.fork('P', 'S')
  await stage.send('S', ['s'])
  await stage.send('C', numbered(3, 'c'))
  await stage.run({ ...append, id: 'm1', from: 'S', into: 'C' })
  await stage.send('C', numbered(3, 'd'))
  await stage.run({ op: 'merge', strategy: 'fast-forward', id: 'm2', from: 'C', into: 'P' })
  const { high } = (await stage.ends('P'))[0]!
  await stage.fork('P', 'D', { 'branch.at': `offset:${high - 1}` })
  expect(await stage.run({ ...append, id: 'm3', from: 'C', into: 'D' })).toMatchObject({ counts: { written: 1 } })
  expect(await stage.run({ ...append, id: 'm4', from: 'S', into: 'D' })).toMatchObject({ counts: { written: 0 } })
  // What was put there behind it is not known.
  await stage.fork('P', 'E', { 'branch.at': 'offset:7' })
  expect(await stage.run({ ...append, id: 'm5', from: 'S', into: 'E' })).toMatchObject({ counts: { written: 1 } })
  const wanted = [...numbered(5), ...numbered(2, 'c'), 's']
  expect(await stage.values('E', 8)).toEqual(wanted)
})

test('the parent of the parent is gone: what nobody can say is brought once more rather than lost', async () => {
  const world = new World()
  world.root('P')
  for (const key of ['a', 'b', 'c', 'd']) world.write('P', [key, '1'])
  world.fork('P', 'C')
  world.fork('P', 'S')
  world.drop('P')
  world.fork('C', 'D', 2)
  expect((await world.merge('S', 'D', { strategy: 'append' })).written).toBe(2)
  expect(world.records('D').map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd'])
})
