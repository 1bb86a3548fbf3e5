// Retention does not wait for a merge that is being planned, and a merge brings nothing that is deleted.

import { expect, test } from 'vitest'
import { World } from './merge-world.ts'

/** Enough batches that a plan rests in between, each with a key of its own. */
function filled(world: World, name: string, count: number): void {
  for (let i = 0; i < count; i++) world.write(name, [`k${i}`, 'x'.repeat(4_000)])
}

test('what retention takes from the source while it is read is as if it had gone before', async () => {
  for (const strategy of ['append', 'three-way'] as const) {
    const world = new World({ segmentBytes: 50_000 })
    const source = world.root('P')
    world.fork('P', 'C')
    filled(world, 'P', 100)
    const atRest = () => {
      if (source.logStartOffset < 60) source.deleteBelow(source.logStartOffset + 20)
    }
    const plan = await world.plan('P', 'C', { strategy, atRest })
    expect(source.logStartOffset, strategy).toBe(60)
    expect(plan.counts, strategy).toMatchObject({ conflicts: 0 })
    expect(plan.written, strategy).toBeGreaterThanOrEqual(40)
  }
})

test('what retention takes from the target while it is read is a history that is lost', async () => {
  const world = new World({ segmentBytes: 50_000 })
  const target = world.root('P')
  world.fork('P', 'C')
  filled(world, 'P', 100)
  world.write('C', ['k50', 'mine'])
  const atRest = () => {
    if (target.logStartOffset === 0) target.deleteBelow(90)
  }
  const plan = await world.plan('C', 'P', { atRest })
  expect(plan.conflicts.map(({ kind }) => kind)).toEqual(['history-lost'])
})

test.each(['append', 'three-way', 'replay'] as const)(
  'what was deleted of a batch is not merged, though the rest of the batch is still there (%s)',
  async (strategy) => {
    const world = new World()
    world.root('P')
    world.fork('P', 'C')
    world.write('C', ['deleted', '1'], ['k', '1'], ['k', '2'], ['l', '1'])
    world.log('C').deleteBelow(2)
    expect((await world.merge('C', 'P', { strategy })).written).toBe(2)
    expect(world.records('P').map(({ key, value }) => [key, value])).toEqual([
      ['k', '2'],
      ['l', '1'],
    ])
  },
)
