// Random histories of consumer groups: members of both protocols come, go, die and change their minds, topics come, grow and
// go, the disk fills up, the broker restarts. No partition ever has two readers, and once it is quiet each has one.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { ClassicConsumer, Consumer } from './consumers.ts'
import { groupId, settled, World } from './world.ts'

const names = ['t0', 't1', 't2', 'u0']
const who = fc.nat(4)
const words = fc.oneof(
  fc.record({ topics: fc.subarray(names) }),
  fc.record({ regex: fc.constantFrom('t.*', '.*0', 'u.', '(t|u)1') }),
)
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('beat'), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave'), who, forAWhile: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash'), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe'), who, words }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('topic'),
      name: fc.constantFrom(...names),
      more: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), name: fc.constantFrom(...names) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart'), compact: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disk'), full: fc.boolean() }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A client, and the instant until which the broker has promised to wait for it. */
class Actor {
  readonly world: World
  readonly number: number
  client: Consumer
  #lives = 0
  #heardAt = 0

  constructor(world: World, number: number) {
    this.world = world
    this.number = number
    this.client = this.#born({ topics: ['t0', 't1'] })
  }

  get isStatic(): boolean {
    return this.number >= 3
  }

  #born(words: Consumer['words']): Consumer {
    const instance = this.isStatic ? { instanceId: `static ${this.number}` } : {}
    return new Consumer(this.world, `m${this.number}.${this.#lives++}`, { ...words, ...instance })
  }

  async beat(): Promise<void> {
    // A client that could not be heard for its session has stopped reading by itself.
    this.rest()
    await this.client.beat()
    this.#heardAt = this.world.clock.now()
  }

  rest(): void {
    if (this.world.clock.now() - this.#heardAt >= 45_000) this.client.drop()
  }

  async leave(forAWhile: boolean): Promise<void> {
    if (this.client.epoch > 0) await this.client.leave(forAWhile && this.isStatic ? -2 : -1)
    this.client = this.#born(this.client.words)
  }

  crash(): void {
    this.client = this.#born(this.client.words)
  }
}

function seen(world: World): unknown {
  const found = world.groups.consumer.describe(groupId)
  if (found instanceof Refusal) return found.error
  // A compacted log tells of them in another order.
  return { ...found, members: [...found.members].sort((a, b) => (a.member.id < b.member.id ? -1 : 1)) }
}

async function play(steps: readonly Step[]): Promise<void> {
  const world = await World.start()
  const actors = Array.from({ length: 5 }, (_, i) => new Actor(world, i))
  const check = () => {
    const readers = new Map<string, string>()
    for (const { client } of actors)
      for (const each of client.reads) {
        expect([each, readers.get(each)]).toEqual([each, undefined])
        readers.set(each, client.id)
      }
    return readers
  }
  world.topics.put('t0', 3)
  for (const each of steps) {
    await act(each, world, actors)
    await settled()
    for (const actor of actors) actor.rest()
    check()
  }
  world.log.full = false
  // Sessions of those that have crashed end; the others beat on.
  for (let round = 0; round < 14; round++) {
    for (const actor of actors) await actor.beat()
    check()
    if (round < 10) await world.clock.pass(5_000)
  }
  const readers = check()
  expect(seen(world)).toMatchObject({ groupState: 'Stable' })
  const wanted = new Set(actors.flatMap(({ client }) => namesOf(client, world)))
  for (const name of wanted)
    for (let p = 0; p < world.topics.byName(name)!.partitionCount; p++)
      expect([...readers.keys()]).toContain(`${name}-${p}`)
  const before = seen(world)
  await world.restart()
  expect(seen(world)).toEqual(before)
  world.groups.stop()
  expect(world.clock.timerCount).toBe(0)
}

function namesOf({ words: { topics = [], regex = '' } }: Consumer, world: World): string[] {
  const expression = new RegExp(`^(?:${regex})$`)
  return world.topics.names().filter((name) => topics.includes(name) || (regex !== '' && expression.test(name)))
}

async function act(each: Step, world: World, actors: readonly Actor[]): Promise<void> {
  switch (each.kind) {
    case 'beat':
      return actors[each.who]!.beat()
    case 'leave':
      return actors[each.who]!.leave(each.forAWhile)
    case 'crash':
      return actors[each.who]!.crash()
    case 'subscribe':
      return actors[each.who]!.client.subscribe({ topics: [], regex: '', ...each.words })
    case 'topic':
      world.topics.put(each.name, (world.topics.byName(each.name)?.partitionCount ?? 0) + each.more)
      return
    case 'remove':
      return world.topics.remove(each.name)
    case 'pass':
      return world.clock.pass(each.ms)
    case 'restart': {
      const before = seen(world)
      if (each.compact) world.log.compact()
      await world.restart()
      expect(seen(world)).toEqual(before)
      return
    }
    case 'disk':
      world.log.full = each.full
  }
}

test('consumers alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => play(steps)),
    { numRuns: 200 },
  )
}, 60_000)

const mixedStep = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('new'), who: fc.nat(2) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('old'), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('new leaves'), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('old leaves'), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: 9_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disk'), full: fc.boolean() }) },
)

test('members of both protocols, and a group that follows them from one to the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mixedStep, { maxLength: 40 }), async (steps) => {
      const world = await World.start()
      world.topics.put('t0', 3)
      world.topics.put('t1', 2)
      const fresh = [0, 1, 2].map((i) => new Consumer(world, `new ${i}`, { topics: ['t0', 't1'] }))
      const old = [0, 1, 2].map((i) => new ClassicConsumer(world, `old ${i}`, ['t0', 't1']))
      // Joins of a classic group wait for each other: nobody waits for their answers here.
      const beats = new Map<object, Promise<void>>()
      const beat = (of: ClassicConsumer) => {
        if (beats.has(of)) return
        beats.set(
          of,
          of.beat().finally(() => beats.delete(of)),
        )
      }
      const readers = () => [...fresh, ...old].flatMap(({ reads }) => reads)
      for (const each of steps) {
        if (each.kind === 'new') await fresh[each.who]!.beat()
        else if (each.kind === 'old') beat(old[each.who]!)
        else if (each.kind === 'new leaves') {
          if (fresh[each.who]!.epoch > 0) await fresh[each.who]!.leave()
        } else if (each.kind === 'old leaves') {
          if (old[each.who]!.id !== '' && !beats.has(old[each.who]!)) void old[each.who]!.leave()
        } else if (each.kind === 'pass') await world.clock.pass(each.ms)
        else if (each.kind === 'disk') world.log.full = each.full
        else await world.restart()
        await settled()
      }
      world.log.full = false
      // One of the classic members goes on, so that the group has both kinds; then the consumers leave.
      const rest = old.slice(0, 2)
      const go = async (all: readonly (Consumer | ClassicConsumer)[]) => {
        for (let round = 0; round < 30; round++) {
          for (const each of all) {
            if (each instanceof Consumer) await each.beat()
            else beat(each)
          }
          await settled()
          await world.clock.pass(3_000)
        }
      }
      await go([...fresh, ...rest])
      for (const gone of old.slice(2)) gone.drop()
      expect(readers().sort()).toEqual(['t0-0', 't0-1', 't0-2', 't1-0', 't1-1'])
      expect(world.groups.list().groups).toMatchObject([{ type: 'consumer', state: 'Stable' }])
      for (const each of fresh) await each.leave()
      expect(world.groups.list().groups).toMatchObject([{ type: 'classic' }])
      await go(rest)
      expect(readers().sort()).toEqual(['t0-0', 't0-1', 't0-2', 't1-0', 't1-1'])
      expect(world.groups.list().groups).toMatchObject([{ type: 'classic', state: 'Stable' }])
      world.groups.stop()
      expect(world.clock.timerCount).toBe(0)
    }),
    { numRuns: 100 },
  )
}, 60_000)
