// A revert where compaction was: it takes nothing for what stood there before but what did.

import { expect, test } from 'vitest'
import type { ConflictRule } from '../../src/branch/commands.ts'
import { MergeHeaders } from '../../src/branch/origin.ts'
import { RevertPlan } from '../../src/branch/revert-plan.ts'
import { World } from './merge-world.ts'

let rests = 0

async function planned(world: World, name: string, first: number, last: number, onConflict: ConflictRule = 'fail') {
  rests = 0
  const plan = new RevertPlan({
    ...{ log: world.log(name), branch: name, first, last, mode: 'net', onConflict, wants: undefined },
    turns: { rest: async () => void rests++, isOver: () => false },
    writer: {
      headers: new MergeHeaders('v', name, 0),
      producer: { producerId: 1, producerEpoch: 0 },
      messageBytesMax: 1_000_000,
      codec: undefined,
    },
  })
  await plan.prepare()
  return plan
}
const kinds = (plan: RevertPlan) => plan.shown(10).map(({ key, kind }) => `${key.toString()} ${kind}`)

test('what a branch shares is not taken for what stood there last, when that is gone', async () => {
  const world = new World({ compacts: true, minCleanableDirtyRatio: 0 })
  world.root('P')
  world.write('P', ['k', '1'], ['j', '1'])
  world.fork('P', 'C')
  world.write('C', ['k', '2'])
  const first = world.write('C', ['k', '3'])
  world.write('C', ['j', '2'])
  expect(kinds(await planned(world, 'C', first, first + 1))).toEqual(['k write', 'j write'])
  await world.compact('C')
  const plan = await planned(world, 'C', first, first + 1)
  expect(kinds(plan)).toEqual(['k history-lost', 'j history-lost'])
  expect(plan.isRefused).toBe(true)
})

test('what was compacted and has lost nothing in between is taken back', async () => {
  const world = new World({ compacts: true, minCleanableDirtyRatio: 0 })
  world.root('P')
  world.write('P', ['k', '1'], ['j', '1'])
  world.fork('P', 'C')
  const first = world.write('C', ['k', '2'])
  world.write('C', ['j', '2'])
  await world.compact('C')
  expect(kinds(await planned(world, 'C', first, first + 1))).toEqual(['k write', 'j write'])
})

test('a topic that shares nothing has what stood before a range, or knows that it has not', async () => {
  const world = new World({ compacts: true, minCleanableDirtyRatio: 0 })
  world.root('P')
  world.write('P', ['k', '1'], ['j', '1'])
  world.write('P', ['k', '2'])
  await world.compact('P')
  const first = world.write('P', ['k', '3'])
  expect(kinds(await planned(world, 'P', first, first))).toEqual(['k write'])
  await world.compact('P')
  expect(kinds(await planned(world, 'P', first, first))).toEqual(['k history-lost'])
})

test('what came behind a range is looked at a slice at a time, and all of it counts', async () => {
  const world = new World()
  world.root('P')
  world.write('P', ['k', '1'], ['j', '1'])
  const first = world.write('P', ['k', '2'], ['j', '2'])
  const many = Array.from({ length: 1000 }, (_, i) => [`other-${i}`, 'v'.repeat(50)] as const)
  for (let i = 0; i < 20; i++) world.write('P', ...many, ...(i === 3 ? [['k', '3'] as const] : []))
  const plan = await planned(world, 'P', first, first + 1)
  expect(rests).toBeGreaterThan(20)
  expect(kinds(plan)).toEqual(['k changed-since', 'j write'])
  world.write('P', ['j', '3'])
  plan.conclude()
  expect(kinds(plan)).toEqual(['k changed-since', 'j changed-since'])
})
