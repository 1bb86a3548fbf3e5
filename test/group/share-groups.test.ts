// Members of share groups over time: who is in, who is out, and what of it a killed coordinator still knows.

import { expect, test } from 'vitest'
import type { ErrorName } from '../../protocol/errors.ts'
import { Refusal } from '../../protocol/errors.ts'
import { Groups } from '../../src/group/coordinator.ts'
import type { ShareKeeper } from '../../src/group/share-keeper.ts'
import { World } from './world.ts'

/** What the room above would remember. */
class Keeper implements ShareKeeper {
  readonly kept = new Set<string>()
  readonly gone: string[] = []
  /** What its log takes to forget. */
  forgetting: (() => Promise<void>) | undefined

  groups(): string[] {
    return [...new Set([...this.kept].map((name) => name.split(' ')[0]!))]
  }

  keeps(...of: [string, string, number]): boolean {
    return this.kept.has(of.join(' '))
  }

  isUnreadable(): boolean {
    return false
  }

  async initialise(groupId: string, topicId: string, partitions: readonly number[]): Promise<ErrorName> {
    for (const partition of partitions) this.kept.add(`${groupId} ${topicId} ${partition}`)
    return 'NONE'
  }

  async alter(groupId: string, topicId: string, partition: number): Promise<ErrorName> {
    return this.initialise(groupId, topicId, [partition])
  }

  ofTopic(): [] {
    return []
  }

  async plant(): Promise<void> {}
  async forgetGone(): Promise<void> {}

  async forget(groupId: string, topicId?: string): Promise<ErrorName> {
    await this.forgetting?.()
    for (const name of [...this.kept]) {
      const [group, topic] = name.split(' ')
      if (group === groupId && (topicId === undefined || topic === topicId)) this.kept.delete(name)
    }
    return 'NONE'
  }

  async onMemberGone(groupId: string, memberId: string): Promise<void> {
    this.gone.push(`${groupId} ${memberId}`)
  }
}

const groupId = 'workers'

class Hall {
  readonly world: World
  readonly keeper = new Keeper()

  private constructor(world: World) {
    this.world = world
  }

  static async open(): Promise<Hall> {
    const hall = new Hall(await World.start())
    hall.world.topics.put('jobs', 2)
    await hall.restart()
    return hall
  }

  async restart(): Promise<void> {
    const { clock, config, log, topics } = this.world
    this.world.groups.stop()
    const settings = (of: string) => this.world.settings(of)
    this.world.groups = new Groups({ clock, config, log, topics, settings, shares: this.keeper })
    await this.world.groups.load()
  }

  /** `2: 0 1`: the member's epoch, and its partitions where it is told; or why not. */
  async beat(memberId: string, memberEpoch: number, topics: string[] | null = null): Promise<string> {
    const request = { groupId, memberId, memberEpoch, rackId: null, topics, clientId: 'c', clientHost: '/h' }
    const answer = await this.world.groups.share.heartbeat(request)
    if (answer instanceof Refusal) return answer.error
    const assigned = answer.assignment?.flatMap(({ partitions }) => partitions).join(' ')
    return assigned === undefined ? `${answer.memberEpoch}` : `${answer.memberEpoch}: ${assigned}`
  }

  /** `Stable 3 a b`. */
  get group(): string {
    const found = this.world.groups.share.describe(groupId)
    if (found instanceof Refusal) return found.error
    return [found.groupState, found.groupEpoch, ...found.members.map(({ member }) => member.id)].join(' ')
  }
}

test('a member that falls silent is out when its session ends, and what it had acquired goes to others', async () => {
  const hall = await Hall.open()
  expect(await hall.beat('a', 0, ['jobs'])).toBe('2: 0 1')
  await hall.world.clock.pass(30_000)
  expect(await hall.beat('b', 0, ['jobs'])).toBe('3: 1')
  await hall.world.clock.pass(15_000)
  expect(hall.group).toBe('Stable 4 b')
  expect(hall.keeper.gone).toEqual(['workers a'])
  expect(await hall.beat('b', 3)).toBe('4: 0 1')
  expect(await hall.beat('a', 2)).toBe('UNKNOWN_MEMBER_ID')
})

test('a killed coordinator knows its members, their partitions and epochs, and gives each a whole session to come back', async () => {
  const hall = await Hall.open()
  await hall.beat('a', 0, ['jobs'])
  await hall.beat('b', 0, ['jobs'])
  await hall.beat('a', 2)
  await hall.world.clock.pass(40_000)
  await hall.restart()
  expect(hall.group).toBe('Stable 3 a b')
  expect(await hall.beat('a', 3)).toBe('3')
  expect(await hall.beat('b', 3)).toBe('3')
  await hall.world.clock.pass(44_999)
  expect(hall.group).toBe('Stable 3 a b')
  await hall.world.clock.pass(1)
  expect(hall.group).toBe('Empty 5')
})

test('an empty group stays, whatever time passes, until somebody deletes it', async () => {
  const hall = await Hall.open()
  await hall.beat('a', 0, ['jobs'])
  expect(await hall.beat('a', -1)).toBe('-1')
  await hall.world.clock.pass(30 * 86_400_000)
  await hall.restart()
  expect(hall.group).toBe('Empty 3')
  expect(await hall.world.groups.delete(groupId)).toBe('NONE')
  expect(hall.keeper.kept.size).toBe(0)
  await hall.restart()
  expect(hall.group).toBe('GROUP_ID_NOT_FOUND')
})

// Found by a simulation: the partitions that it was given were forgotten a moment later, and who fetched them was told of an
// unknown error of the server.
test('whoever comes while the next start forgets what a killed group has left is told to come again, and keeps what he is given then', async () => {
  const hall = await Hall.open()
  await hall.keeper.initialise(groupId, hall.world.topics.byName('jobs')!.id, [0, 1])
  let isForgotten = () => {}
  const asked = new Promise<void>((resolve) => {
    hall.keeper.forgetting = () => {
      resolve()
      return new Promise((forgotten) => {
        isForgotten = forgotten
      })
    }
  })
  const started = hall.restart()
  await asked
  const said = await hall.beat('a', 0, ['jobs'])
  expect(said).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  isForgotten()
  await started
  expect(await hall.beat('a', 0, ['jobs'])).toBe('2: 0 1')
  expect(hall.keeper.kept.size).toBe(2)
})

test('what is remembered of a group that is gone is forgotten by the next start', async () => {
  const hall = await Hall.open()
  await hall.beat('a', 0, ['jobs'])
  await hall.keeper.initialise('ghosts', 'T', [0])
  await hall.restart()
  expect(hall.keeper.groups()).toEqual([groupId])
})

test('a target stands for as long as share.assignment.interval.ms says (KIP-1263)', async () => {
  const hall = await Hall.open()
  hall.world.own['share.assignment.interval.ms'] = 1_000
  expect(await hall.beat('a', 0, ['jobs'])).toBe('2: 0 1')
  expect(await hall.beat('b', 0, ['jobs'])).toBe('2: ')
  expect(await hall.beat('a', 2)).toBe('2')
  await hall.world.clock.pass(1_000)
  expect(await hall.beat('b', 2)).toBe('3: 1')
  expect(await hall.beat('a', 2)).toBe('3: 0')
})

test('a clock that is set back does not let a target stand any longer', async () => {
  const hall = await Hall.open()
  hall.world.own['share.assignment.interval.ms'] = 1_000
  expect(await hall.beat('a', 0, ['jobs'])).toBe('2: 0 1')
  hall.world.clock.jump(-600_000)
  expect(await hall.beat('b', 0, ['jobs'])).toBe('3: 1')
})

test('a log that refuses leaves the group as it was', async () => {
  const hall = await Hall.open()
  await hall.beat('a', 0, ['jobs'])
  hall.world.log.full = true
  expect(await hall.beat('b', 0, ['jobs'])).toBe('COORDINATOR_NOT_AVAILABLE')
  expect(hall.group).toBe('Stable 2 a')
  hall.world.log.full = false
  expect(await hall.beat('b', 0, ['jobs'])).toBe('3: 1')
})

test('whatever members do and whenever the coordinator is killed, it knows what it last said', async () => {
  const hall = await Hall.open()
  let state = 7
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const epochs = new Map<string, number>()
  for (let step = 0; step < 400; step++) {
    const memberId = `m${random(5)}`
    const epoch = epochs.get(memberId)
    const leaves = epoch !== undefined && random(6) === 0
    const said = await hall.beat(memberId, leaves ? -1 : (epoch ?? 0), epoch === undefined ? ['jobs'] : null)
    expect(said).toMatch(/^-?\d+/)
    if (leaves) epochs.delete(memberId)
    else epochs.set(memberId, Number.parseInt(said, 10))
    if (random(10) > 0) continue
    const before = hall.group
    await hall.restart()
    expect(hall.group).toBe(before)
  }
})
