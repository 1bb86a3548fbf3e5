// Retention does not wait for a merge that is being planned.

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
