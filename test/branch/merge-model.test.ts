// Random writes and merges between a topic and its branches, held against the model that remembers the whole ancestry of every
// value (ancestry-model.ts). The same by a stock client: merge-model-wire.test.ts.

import { describe, expect, test } from 'vitest'
import { AncestryModel, drawing } from './ancestry-model.ts'
import { type Wish, World } from './merge-world.ts'

const { TWIGLOG_SEED, TWIGLOG_SOAK_SECONDS } = process.env
const seedFirst = Number(TWIGLOG_SEED ?? (TWIGLOG_SOAK_SECONDS === undefined ? 1 : Math.floor(Math.random() * 2 ** 30)))

/** Each a fresh run; more of them where TWIGLOG_SOAK_SECONDS says for how long. */
async function eachSeed(count: number, play: (seed: number) => Promise<void>): Promise<void> {
  const soakMs = 1000 * Number(TWIGLOG_SOAK_SECONDS ?? 0)
  const until = Date.now() + soakMs
  for (let seed = seedFirst; seed < seedFirst + count || Date.now() < until; seed++) {
    try {
      await play(seed)
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause })
    }
  }
}

const keys = ['a', 'b', 'c', 'd', 'e']

async function playAncestry(seed: number): Promise<void> {
  const draw = drawing(seed)
  // What compaction took of the past a fork of the past has not.
  const compacts = seed % 3 === 0
  const world = new World({ segmentBytes: 512, compacts, minCleanableDirtyRatio: 0, deleteRetentionMs: 1e12 })
  const model = new AncestryModel()
  world.root('P')
  model.root('P')
  const names = ['P']
  let made = 0
  // Records of which none replaces another may be appended as well.
  const isUnique = !compacts && seed % 5 === 0
  let written = 0
  const write = (name: string) => {
    const key = isUnique ? `k${++written}` : keys[draw(keys.length)]!
    // Few values, so that both sides often come to the same one.
    const value = draw(6) === 0 && !isUnique ? null : `v${draw(4)}`
    world.write(name, [key, value])
    model.write(name, key, value)
  }
  for (let i = draw(6); i > 0; i--) write('P')
  model.note('P', world.log('P').logEndOffset)
  for (let step = 0; step < 50; step++) {
    const choice = draw(10)
    const name = names[draw(names.length)]!
    if (choice < 5) write(name)
    else if (choice === 5 && names.length < 4) {
      const child = `C${++made}`
      // Now, or as it was at any time, also before it was forked itself; whose records those are must be there to be asked.
      const isThere = (end: number) => world.logs.has(world.lineage.knowledge(name, 0).home(end))
      const isNow = compacts || draw(2) === 0
      const ends = isNow ? [world.log(name).logEndOffset] : model.ends(name).filter(isThere)
      const at = ends[draw(ends.length)]!
      world.fork(name, child, at)
      model.fork(name, child, at)
      names.push(child)
    } else if (choice === 7 && names.length > 2 && name !== 'P' && draw(2) === 0) {
      world.drop(name)
      names.splice(names.indexOf(name), 1)
    } else if (choice === 8 && draw(2) === 0) {
      // Hardly any is the beginning of another, so all are tried.
      for (const into of names) {
        const [end, to] = [world.log(into).logEndOffset, world.stable(name)]
        if (into !== name && world.forward(name, into)) model.forward(name, into, end, to)
      }
    } else if (choice === 9 && compacts && draw(2) === 0) {
      await world.compact(name)
      model.write(name, `filler ${name}`, '.')
    } else if (choice === 6) {
      world.send(name, 100, keys[draw(keys.length)]!, 'taken back')
      world.end(name, 100, 'ABORT')
    } else {
      const into = names[draw(names.length)]!
      if (into === name) continue
      const onConflict = (['fail', 'ours', 'theirs'] as const)[draw(3)]!
      const strategy = isUnique && draw(2) === 0 ? 'append' : draw(4) === 0 ? 'replay' : 'three-way'
      const expected = model.merge(name, into, onConflict)
      const plan = await world.merge(name, into, { onConflict, strategy })
      const conflicts = plan.conflicts.map(({ key }) => key.toString()).sort()
      // Of a key that is replayed as many revisions as there are.
      const count = plan.isRefused ? 0 : strategy === 'replay' ? expected.written : plan.written
      const what = `step ${step}: ${name} into ${into}, ${onConflict}`
      expect({ what, conflicts, written: count }).toEqual({ what, ...expected, conflicts: expected.conflicts.sort() })
    }
    for (const each of names) {
      expect(world.state(each)).toEqual(model.state(each))
      model.note(each, world.log(each).logEndOffset)
    }
  }
}

const shuffled = <T>(items: readonly T[], draw: (below: number) => number): T[] => {
  const left = [...items]
  return items.map(() => left.splice(draw(left.length), 1)[0]!)
}

/** Two branches that have touched different keys, merged in both orders. */
async function playDisjoint(seed: number): Promise<void> {
  const strategy = (['three-way', 'replay'] as const)[seed % 2]!
  const states = [0, 1].map(async (order) => {
    const draw = drawing(seed)
    const world = new World({ segmentBytes: 512 })
    world.root('P')
    for (const key of keys) if (draw(2) === 0) world.write('P', [key, 'old'])
    world.fork('P', 'C1')
    world.fork('P', 'C2')
    const mine = shuffled(keys, draw)
    const half = 1 + draw(keys.length - 1)
    for (let i = draw(12); i > 0; i--) {
      const isFirst = draw(2) === 0
      const from = isFirst ? mine.slice(0, half) : mine.slice(half)
      world.write(isFirst ? 'C1' : 'C2', [from[draw(from.length)]!, draw(5) === 0 ? null : `v${i}`])
    }
    const wish: Wish = { strategy }
    for (const name of order === 0 ? ['C1', 'C2'] : ['C2', 'C1']) {
      expect((await world.merge(name, 'P', wish)).isRefused).toBe(false)
    }
    const end = world.log('P').logEndOffset
    for (let i = 0; i < 10; i++) {
      for (const name of ['C1', 'C2']) {
        const back = (await world.merge('P', name, wish)).written
        const again = (await world.merge(name, 'P', wish)).written
        expect([i === 0 ? 0 : back, again]).toEqual([0, 0])
      }
    }
    expect(world.log('P').logEndOffset).toBe(end)
    expect(world.state('C1')).toEqual(world.state('P'))
    return world.state('P')
  })
  const [one, other] = await Promise.all(states)
  expect(one).toEqual(other)
}

describe('against a model', () => {
  test(
    `B48: writes and merges in all directions give the conflicts of the full ancestry, no echo and no lost write, seeds from ${seedFirst}`,
    async () => {
      await eachSeed(500, playAncestry)
    },
    300_000 + 1500 * Number(TWIGLOG_SOAK_SECONDS ?? 0),
  )

  test(
    `B32: branches with keys of their own give the same newest values in either order, and nothing goes back and forth, seeds from ${seedFirst}`,
    async () => {
      await eachSeed(500, playDisjoint)
    },
    300_000 + 1500 * Number(TWIGLOG_SOAK_SECONDS ?? 0),
  )
})
