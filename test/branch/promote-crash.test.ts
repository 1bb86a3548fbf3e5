// A process that ends while names are swapped, or a branch is made anew, at every single thing that this asks of the disk: a new one finds
// the old picture or the new one, and the same command makes it the new one, once. (Processes that are killed: promote-kill.test.ts.)

import { expect, test } from 'vitest'
import { checkStore } from '../../src/cli/check.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { momentsOf } from './moments.ts'
import { numbered, Stage } from './stage.ts'

const past = numbered(10)
const own = [...past.slice(0, 6), 'own']

type Picture = Readonly<Record<string, readonly string[]>>

const committed = async (stage: Stage, topic: string) => {
  const [found] = await stage.admin.fetchOffsets({ groupId: 'far', topics: [topic] })
  return Number(found!.partitions[0]!.offset)
}

/** A parent with ten records, and a branch that was cut at 6 and has one of its own. */
async function prepared(): Promise<{ stage: Stage; store: FaultyStore }> {
  const store = new FaultyStore()
  const stage = await Stage.open({ storage: store })
  await stage.create('orders', 1, { 'flush.messages': 1 })
  await stage.send('orders', past)
  await stage.fork('orders', 'C', { 'branch.at': 'offset:6', 'branch.groups': 'copy' })
  await stage.send('C', ['own'])
  await stage.commit('far', 'orders', 9)
  await stage.admin.fetchTopicMetadata({ topics: ['__branch_commands'] })
  return { stage, store }
}

const cases = [
  {
    name: 'B57: a promotion',
    command: { op: 'promote', id: 'x1', branch: 'C', keep: 'before' },
    old: { orders: past, C: own },
    next: { orders: own, before: past },
    commits: { orders: 6, before: 9 },
    probe: 'orders',
  },
  {
    name: 'B58: a reset',
    command: { op: 'reset', id: 'x1', branch: 'C' },
    old: { orders: past, C: own },
    next: { orders: past, C: past },
    commits: { orders: 9, C: 9 },
    probe: 'C',
  },
] as const

test.each(cases.map((one) => [one.name, one] as const))(
  '%s that is cut off at any moment is there wholly or not, and is told once',
  {
    timeout: 120_000,
  },
  async (_, { command, old, next, commits, probe }) => {
    const { stage, store } = await prepared()
    const told = async (on: Stage) => {
      const all = await on.values('__branches', (await on.ends('__branches'))[0]!.high)
      return all
        .map((value) => JSON.parse(value))
        .filter(({ id, replayed }) => id === command.id && replayed === undefined)
    }
    const moments = await momentsOf(store, async () => {
      const { high } = (await stage.ends('__branches'))[0]!
      await stage.command(command)
      // Looked at without a group, which would write to the disk, too.
      await eventually(async () => expect((await stage.ends('__branches'))[0]!.high).toBe(high + 1))
    })
    await stage[Symbol.asyncDispose]()
    let oldCount = 0
    for (const { name, store: left } of moments) {
      const damages = checkStore(left).findings.filter(({ kind }) => kind === 'damage')
      expect(damages, name).toEqual([])
      await using again = await Stage.open({ storage: left })
      // Each of these is one answer; what nobody was told of is done meanwhile, for the command is there.
      expect(
        [Object.keys(old), Object.keys(next)].map((names) => names.sort()),
        name,
      ).toContainEqual(await again.made())
      const { high } = (await again.ends(probe))[0]!
      expect(
        [old, next].map((picture) => (picture as Picture)[probe]!.length),
        name,
      ).toContain(high)
      if (high === (old as Picture)[probe]!.length) oldCount++
      expect(await again.run(command), name).toMatchObject({ status: 'done' })
      for (const [topic, values] of Object.entries(next))
        expect(await again.values(topic, values.length), `${topic}: ${name}`).toEqual(values)
      expect((await again.made()).sort(), name).toEqual(Object.keys(next).sort())
      if (name.startsWith('kill')) {
        for (const [topic, offset] of Object.entries(commits))
          expect(await committed(again, topic), `${topic}: ${name}`).toBe(offset)
      }
      await eventually(async () => expect(await told(again), name).toHaveLength(1))
    }
    expect(oldCount).toBeGreaterThan(2)
    expect(moments.length).toBeGreaterThan(10)
  },
)
