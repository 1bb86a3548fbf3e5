// Requests in any order, a disk that fills now and then, restarts: nothing throws, nobody waits for ever, and what was
// answered is true.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JoinAnswer, SyncAnswer } from '../../src/group/member.ts'
import { protocolsNamed, settled, World } from './world.ts'

const actors = 5
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('join'),
      who: fc.nat(actors),
      fresh: fc.boolean(),
      idFirst: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('sync'), who: fc.nat(actors) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('heartbeat'), who: fc.nat(actors), off: fc.integer({ min: -1, max: 1 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit'), who: fc.nat(actors) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave'), who: fc.nat(actors) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: 9_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disk'), full: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('slow') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const group = 'readers'
const protocols = [['range'], ['range', 'sticky'], ['sticky', 'range']]

/** One client each: it remembers what it was told, as clients do. The last two are static members. */
class Actor {
  memberId = ''
  generation = -1
  leads = false
  shown: string[] = []
  readonly instanceId: string | null
  readonly number: number

  constructor(number: number) {
    this.number = number
    this.instanceId = number >= 4 ? `static ${number}` : null
  }
}

class Run {
  readonly world: World
  readonly actors = Array.from({ length: actors + 1 }, (_, i) => new Actor(i))
  readonly waiting = new Set<object>()
  /** By life of the group and generation: who was told to lead. */
  readonly leaders = new Map<string, string>()
  life = 0
  offset = 0
  /** Lets a slow disk go on. */
  release: (() => void) | undefined
  /** The first expectation that an answer did not meet. */
  broken: unknown
  generation = 0

  constructor(world: World) {
    this.world = world
  }

  #watch<T>(promise: Promise<T>, told: (answer: T) => void): void {
    this.waiting.add(promise)
    const { life } = this
    void promise.then((answer) => {
      this.waiting.delete(promise)
      if (life !== this.life) return
      try {
        told(answer)
      } catch (error) {
        this.broken ??= error
      }
    })
  }

  join(actor: Actor, fresh: boolean, idFirst: boolean): void {
    const request = {
      memberId: fresh ? '' : actor.memberId,
      instanceId: actor.instanceId,
      protocols: protocolsNamed(...protocols[actor.number % 3]!),
      rebalanceTimeoutMs: 4_000 + actor.number * 1_000,
      idFirst,
    }
    this.#watch(this.world.join(request), (answer) => this.#joined(actor, answer))
  }

  #joined(actor: Actor, answer: JoinAnswer): void {
    if (answer.error === 'MEMBER_ID_REQUIRED') actor.memberId = answer.memberId
    if (answer.error !== 'NONE') return
    actor.memberId = answer.memberId
    actor.generation = answer.generation
    actor.leads = answer.leader === answer.memberId && !answer.skipAssignment
    actor.shown = answer.members.map(({ memberId }) => memberId)
    expect(answer.generation, 'generations only grow').toBeGreaterThanOrEqual(this.generation)
    this.generation = answer.generation
    expect(answer.members.length > 0, 'the leader alone is shown the members').toBe(answer.leader === answer.memberId)
    const key = `${this.life} ${answer.generation}`
    // A static leader that returns leads under another id.
    if (answer.skipAssignment || answer.leader.startsWith('static')) return
    expect(this.leaders.get(key) ?? answer.leader, 'one leader in a generation').toBe(answer.leader)
    this.leaders.set(key, answer.leader)
  }

  sync(actor: Actor): void {
    const parts = actor.leads ? Object.fromEntries(actor.shown.map((id) => [id, `${id} in ${actor.generation}`])) : {}
    const { memberId, generation, instanceId } = actor
    this.#watch(this.world.sync(memberId, generation, parts, instanceId), (answer) => {
      if (instanceId === null) this.#synced(`${memberId} in ${generation}`, answer)
    })
  }

  /** Empty: the leader had not been shown this member, or handed in nothing. */
  #synced(expected: string, { error, assignment }: SyncAnswer): void {
    if (error === 'NONE' && assignment.length > 0)
      expect(assignment.toString(), 'what the leader of this generation assigned').toBe(expected)
  }

  /** Offsets count up, so that what is found shows which commit it is of. */
  commit(actor: Actor): void {
    const offset = ++this.offset
    this.#watch(this.world.commit(actor.memberId, actor.generation, offset), ([answer]) => {
      const found = Number(/\d+$/.exec(this.world.committed()[0] ?? '')?.[0] ?? -1)
      if (answer === 'NONE') expect(found, 'what was acknowledged is there, or later').toBeGreaterThanOrEqual(offset)
    })
  }

  /** A deleted group begins anew at generation 1; a broker that could not store falls back to what it stored. */
  newLife(): void {
    this.life++
    this.generation = 0
  }

  async take(step: Step): Promise<void> {
    const { world } = this
    if (step.kind === 'pass') return world.clock.pass((step as { ms: number }).ms)
    if (step.kind === 'disk') {
      world.log.full = (step as { full: boolean }).full
      return
    }
    if (step.kind === 'slow') return this.#turnDisk()
    if (step.kind === 'delete') return this.#delete()
    if (step.kind === 'restart') return this.#restart()
    this.#request(step as Extract<Step, { who: number }>)
  }

  /** The disk keeps appends waiting until the next turn. */
  #turnDisk(): void {
    this.release?.()
    this.release = undefined
    if (this.world.log.gate !== undefined) this.world.log.gate = undefined
    else
      this.world.log.gate = new Promise((resolve) => {
        this.release = resolve
      })
  }

  #delete(): void {
    const { life } = this
    this.#watch(this.world.groups.delete(group), (answer) => {
      if (answer === 'NONE' && life === this.life) this.newLife()
    })
  }

  async #restart(): Promise<void> {
    if (this.release !== undefined) this.#turnDisk()
    await settled()
    const before = this.world.committed()
    await this.world.restart()
    expect(this.world.committed(), 'a restart finds what was committed').toEqual(before)
    this.newLife()
  }

  #request(step: Extract<Step, { who: number }>): void {
    const actor = this.actors[step.who]!
    if ('fresh' in step) this.join(actor, step.fresh, step.idFirst)
    else if ('off' in step) this.world.heartbeat(actor.memberId, actor.generation + step.off, actor.instanceId)
    else if (step.kind === 'commit') this.commit(actor)
    else if (step.kind === 'leave') this.world.groups.classic.leave(group, [actor])
    else this.sync(actor)
  }
}

test('any sequence of requests keeps the promises', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 90, size: 'max' }), async (steps) => {
      const run = new Run(await World.start({ 'group.max.size': 5 }))
      for (const step of steps) {
        await run.take(step)
        if (run.broken !== undefined) throw run.broken
        if (step.kind === 'sync' || step.kind === 'commit') await settled()
        const { groups } = run.world.groups.list()
        for (const { state, groupId } of groups.filter((of) => of.state !== 'Dead')) {
          const { members } = run.world.describe(groupId)
          if (state === 'Empty') expect(members).toEqual([])
          if (state === 'Stable' || state === 'CompletingRebalance') expect(members.length).toBeGreaterThan(0)
        }
      }
      run.world.log.full = false
      run.release?.()
      await run.world.clock.pass(3_600_000)
      expect(run.waiting.size, 'nobody waits for ever').toBe(0)
      expect(run.world.groups.list().groups.every(({ state }) => state === 'Empty')).toBe(true)
      run.world.groups.stop()
      expect(run.world.clock.timerCount, 'no timer is left').toBe(0)
    }),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
  )
})
