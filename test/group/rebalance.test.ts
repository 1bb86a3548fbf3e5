// Joining, assigning, syncing, going: one generation after the other.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JoinAnswer } from '../../src/group/member.ts'
import { groupId, protocolsNamed, settled, subscription, World, watched } from './world.ts'

test('the first member of a new group leads alone, at once', async () => {
  const world = await World.start()
  const answer = await world.join()
  expect(answer).toMatchObject({ error: 'NONE', generation: 1, protocol: 'range', leader: answer.memberId })
  expect(answer.members).toEqual([
    { memberId: answer.memberId, groupInstanceId: null, metadata: subscription('orders') },
  ])
  expect(world.state()).toBe('CompletingRebalance')
})

test('nobody is answered before all have joined', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const late = watched(world.join())
  const again = watched(world.join({ memberId: a!.memberId }))
  await settled()
  expect([late.answer, again.answer, world.state()]).toEqual([undefined, undefined, 'PreparingRebalance'])
  expect(world.heartbeat(b!.memberId, 2)).toBe('REBALANCE_IN_PROGRESS')
  await world.join({ memberId: b!.memberId })
  expect((await late.promise).generation).toBe(3)
  expect((await again.promise).members).toHaveLength(3)
})

test('fifty members in any order end in one generation with one leader, who alone sees them all', async () => {
  const order = fc.shuffledSubarray(
    Array.from({ length: 50 }, (_, i) => i),
    { minLength: 50 },
  )
  await fc.assert(
    fc.asyncProperty(
      order,
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 50, maxLength: 50 }),
      async (indexes, waits) => {
        const world = await World.start({ 'group.initial.rebalance.delay.ms': 3_000 })
        const joins: Promise<JoinAnswer>[] = []
        for (const i of indexes) {
          joins.push(world.join({ clientId: `c${i}`, rebalanceTimeoutMs: 300_000 }))
          await world.clock.pass(waits[i]!)
        }
        await world.clock.pass(6_000)
        const answers = await Promise.all(joins)
        expect(new Set(answers.map(({ generation }) => generation))).toEqual(new Set([1]))
        expect(new Set(answers.map(({ leader }) => leader)).size).toBe(1)
        const shown = answers.filter(({ members }) => members.length > 0)
        expect(shown.map(({ memberId }) => memberId)).toEqual([answers[0]!.leader])
        expect(new Set(shown[0]!.members.map(({ memberId }) => memberId))).toEqual(
          new Set(answers.map((of) => of.memberId)),
        )
        world.groups.stop()
        expect(world.clock.timerCount).toBe(0)
      },
    ),
    { numRuns: 20 },
  )
})

test('members that are missing when the rebalance timeout passes are out', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2, () => ({ rebalanceTimeoutMs: 3_000 }))
  const late = watched(world.join({ rebalanceTimeoutMs: 3_000 }))
  const again = watched(world.join({ memberId: b!.memberId, rebalanceTimeoutMs: 3_000 }))
  await world.clock.pass(2_999)
  expect(world.heartbeat(a!.memberId, 2)).toBe('REBALANCE_IN_PROGRESS')
  expect(again.answer).toBeUndefined()
  await world.clock.pass(1)
  expect(again.answer).toMatchObject({ generation: 3, leader: b!.memberId })
  expect(late.answer).toMatchObject({ generation: 3, leader: b!.memberId })
  expect(world.heartbeat(a!.memberId, 2)).toBe('UNKNOWN_MEMBER_ID')
})

test('the longest rebalance timeout of the members counts', async () => {
  const world = await World.start()
  const [a] = await world.stable(2, (i) => ({ rebalanceTimeoutMs: i === 0 ? 3_000 : 9_000, sessionTimeoutMs: 30_000 }))
  const again = watched(world.join({ memberId: a!.memberId, rebalanceTimeoutMs: 3_000 }))
  await world.clock.pass(8_999)
  expect(again.answer).toBeUndefined()
  await world.clock.pass(1)
  expect(again.answer).toMatchObject({ error: 'NONE', generation: 3 })
})

test('a new group waits for the delay, and longer while new members come, up to the rebalance timeout', async () => {
  const world = await World.start({ 'group.initial.rebalance.delay.ms': 3_000 })
  const joins = [watched(world.join({ rebalanceTimeoutMs: 7_000 }))]
  for (let i = 0; i < 3; i++) {
    await world.clock.pass(2_000)
    expect(joins[0]!.answer).toBeUndefined()
    joins.push(watched(world.join({ rebalanceTimeoutMs: 7_000 })))
  }
  await world.clock.pass(1_000)
  expect(joins.map(({ answer }) => answer?.generation)).toEqual([1, 1, 1, 1])
})

test('KIP-394: a member without id is given one, and comes back with it', async () => {
  const world = await World.start()
  const first = await world.join({ idFirst: true, clientId: 'reader' })
  expect(first).toMatchObject({ error: 'MEMBER_ID_REQUIRED', generation: -1 })
  expect(first.memberId).toMatch(/^reader-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(world.state()).toBe('Empty')
  expect(await world.join({ idFirst: true, memberId: first.memberId })).toMatchObject({ error: 'NONE', generation: 1 })
})

test('an id that was given away holds the barrier until its session ends', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  const given = await world.join({ idFirst: true, sessionTimeoutMs: 6_000 })
  const again = watched(world.join({ memberId: a!.memberId }))
  await world.clock.pass(5_999)
  expect(again.answer).toBeUndefined()
  await world.clock.pass(1)
  expect(again.answer).toMatchObject({ error: 'NONE', generation: 2 })
  expect(await world.join({ memberId: given.memberId })).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
})

test('an id that was given away and says goodbye opens the barrier', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  const given = await world.join({ idFirst: true })
  const again = watched(world.join({ memberId: a!.memberId }))
  await settled()
  expect(again.answer).toBeUndefined()
  expect(world.leave(given.memberId)).toEqual(['NONE'])
  expect((await again.promise).generation).toBe(2)
})

test('a follower that joins a stable group again, unchanged, is told the generation that stands', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const answer = await world.join({ memberId: b!.memberId })
  expect(answer).toMatchObject({ error: 'NONE', generation: 2, leader: a!.memberId, members: [] })
  expect(world.state()).toBe('Stable')
})

test('a leader that joins a stable group again starts a rebalance', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const again = watched(world.join({ memberId: a!.memberId }))
  await settled()
  expect(world.heartbeat(b!.memberId, 2)).toBe('REBALANCE_IN_PROGRESS')
  expect(await world.join({ memberId: b!.memberId })).toMatchObject({ generation: 3 })
  expect(await again.promise).toMatchObject({ generation: 3, leader: a!.memberId })
})

test('a follower that joins with another subscription starts a rebalance (cooperative assignors do)', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const protocols = [{ name: 'range', metadata: subscription('orders', 'refunds') }]
  const again = watched(world.join({ memberId: b!.memberId, protocols }))
  await settled()
  expect(again.answer).toBeUndefined()
  const leader = await world.join({ memberId: a!.memberId })
  const shown = leader.members.find(({ memberId }) => memberId === b!.memberId)
  expect(shown?.metadata).toEqual(subscription('orders', 'refunds'))
})

test('in CompletingRebalance a repeated join is answered again, the members shown to the leader alone', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  const late = world.join()
  const [leader, follower] = await Promise.all([world.join({ memberId: a!.memberId }), late])
  expect(await world.join({ memberId: leader.memberId })).toEqual(leader)
  expect(await world.join({ memberId: follower.memberId })).toEqual(follower)
  expect(world.state()).toBe('CompletingRebalance')
})

test.each([
  // protocols of A, B, C → elected
  [['x'], ['x'], ['x'], 'x'],
  [['x', 'y'], ['y', 'x'], ['y', 'x'], 'y'],
  [['x', 'y'], ['x', 'y'], ['y', 'x'], 'x'],
  [['x', 'y', 'z'], ['z', 'y'], ['y', 'z'], 'y'],
  [['x', 'y'], ['y'], ['y', 'x'], 'y'],
] as const)('of %j, %j and %j the group elects %s', async (a, b, c, elected) => {
  const world = await World.start()
  const joins = await world.stable(3, (i) => ({ protocols: protocolsNamed(...[a, b, c][i]!) }))
  expect(joins.map(({ protocol }) => protocol)).toEqual([elected, elected, elected])
})

test('who supports nothing that all support, or is of another type, is refused', async () => {
  const world = await World.start()
  await world.stable(2, (i) => ({ protocols: protocolsNamed(...(i === 0 ? ['x', 'y'] : ['y'])) }))
  const refused = { error: 'INCONSISTENT_GROUP_PROTOCOL', memberId: '', generation: -1 }
  expect(await world.join({ protocols: protocolsNamed('x') })).toMatchObject(refused)
  expect(await world.join({ protocols: [] })).toMatchObject(refused)
  expect(await world.join({ protocolType: 'connect', protocols: protocolsNamed('y') })).toMatchObject(refused)
  expect(await world.join({ protocolType: '' })).toMatchObject(refused)
  expect(world.state()).toBe('Stable')
})

test('a group that lost all its members may become one of another type', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  world.leave(a!.memberId)
  const joined = await world.join({ protocolType: 'connect' })
  expect(joined).toMatchObject({ error: 'NONE', protocolType: 'connect', generation: 3 })
})

test('nobody learns its assignment before the leader has assigned', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const again = world.join({ memberId: a!.memberId })
  await world.join({ memberId: b!.memberId })
  await again
  const follower = watched(world.sync(b!.memberId, 3))
  await settled()
  expect(follower.answer).toBeUndefined()
  const leader = await world.sync(a!.memberId, 3, { [b!.memberId]: 'new' })
  expect(leader).toMatchObject({ error: 'NONE', assignment: Buffer.alloc(0) })
  expect((await follower.promise).assignment.toString()).toBe('new')
  expect((await world.sync(b!.memberId, 3)).assignment.toString()).toBe('new')
})

test('nobody learns its assignment before it is stored', async () => {
  const world = await World.start()
  const { memberId } = await world.join()
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const answer = watched(world.sync(memberId, 1, { [memberId]: 'mine' }))
  await settled()
  expect([answer.answer, world.state()]).toEqual([undefined, 'CompletingRebalance'])
  open()
  expect((await answer.promise).assignment.toString()).toBe('mine')
  expect(world.state()).toBe('Stable')
})

test('an assignment that is overtaken by a rebalance while it is stored is nobody’s', async () => {
  const world = await World.start()
  const { memberId } = await world.join()
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const answer = world.sync(memberId, 1, { [memberId]: 'old' })
  const late = world.join()
  expect((await answer).error).toBe('REBALANCE_IN_PROGRESS')
  const again = await world.join({ memberId })
  open()
  await settled()
  expect([again.generation, (await late).generation, world.state()]).toEqual([2, 2, 'CompletingRebalance'])
})

test('an assignment that cannot be stored is nobody’s, and the members join again', async () => {
  const world = await World.start()
  const { memberId } = await world.join()
  world.log.full = true
  expect(await world.sync(memberId, 1, { [memberId]: 'mine' })).toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  expect(world.heartbeat(memberId, 1)).toBe('REBALANCE_IN_PROGRESS')
  world.log.full = false
  const again = await world.join({ memberId })
  expect(again).toMatchObject({ error: 'NONE', generation: 2 })
  expect(await world.sync(memberId, 2, { [memberId]: 'mine' })).toMatchObject({ error: 'NONE' })
})

test('an assignment that is overtaken by a rebalance and then refused by the disk disturbs nobody', async () => {
  const world = await World.start()
  const { memberId } = await world.join()
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  void world.sync(memberId, 1, { [memberId]: 'old' })
  const late = world.join()
  const again = await world.join({ memberId })
  world.log.full = true
  open()
  await late
  await settled()
  expect([again.generation, world.state(), world.heartbeat(memberId, 2)]).toEqual([2, 'CompletingRebalance', 'NONE'])
})

test('a rebalance that begins while members wait for their assignment sends them back', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const again = world.join({ memberId: a!.memberId })
  await world.join({ memberId: b!.memberId })
  await again
  const waiting = world.sync(b!.memberId, 3)
  world.leave(a!.memberId)
  expect(await waiting).toMatchObject({ error: 'REBALANCE_IN_PROGRESS' })
})

test('members that never ask for their assignment are out after the rebalance timeout', async () => {
  const world = await World.start()
  const request = { rebalanceTimeoutMs: 3_000 }
  const [a] = await world.stable(1, () => request)
  const late = world.join(request)
  await world.join({ memberId: a!.memberId, ...request })
  const { memberId } = await late
  await world.sync(a!.memberId, 2, { [a!.memberId]: 'all' })
  await world.clock.pass(2_999)
  expect(world.heartbeat(memberId, 2)).toBe('NONE')
  await world.clock.pass(1)
  expect(world.heartbeat(memberId, 2)).toBe('UNKNOWN_MEMBER_ID')
  expect(world.heartbeat(a!.memberId, 2)).toBe('REBALANCE_IN_PROGRESS')
})

test('a silent member is out when its session ends, and heartbeats, joins, syncs and commits break the silence', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const signs = [
    () => world.heartbeat(a!.memberId, 2),
    () => world.commit(a!.memberId, 2, 7),
    () => world.sync(a!.memberId, 2),
    () => world.heartbeat(a!.memberId, 2),
  ]
  await world.clock.pass(3_000)
  for (const sign of signs) {
    await sign()
    expect(world.state()).toBe(world.clock.now() < 1_700_000_010_000 ? 'Stable' : 'PreparingRebalance')
    await world.clock.pass(3_000)
  }
  expect(world.heartbeat(b!.memberId, 2)).toBe('UNKNOWN_MEMBER_ID')
  expect(world.heartbeat(a!.memberId, 2)).toBe('REBALANCE_IN_PROGRESS')
})

test('a member at the barrier need not send heartbeats, however long it waits', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const again = watched(world.join({ memberId: a!.memberId }))
  for (let i = 0; i < 11; i++) {
    await world.clock.pass(5_000)
    expect(world.heartbeat(b!.memberId, 2)).toBe('REBALANCE_IN_PROGRESS')
  }
  expect(again.answer).toBeUndefined()
  await world.clock.pass(5_000)
  expect(again.answer).toMatchObject({ error: 'NONE', generation: 3 })
})

test('a first join whose client is gone does not hold its place for ever', async () => {
  const world = await World.start()
  const [a] = await world.stable(1, () => ({ sessionTimeoutMs: 1_000_000, rebalanceTimeoutMs: 1_000_000 }))
  const lost = watched(world.join({ rebalanceTimeoutMs: 1_000_000 }))
  await world.clock.pass(299_999)
  expect(lost.answer).toBeUndefined()
  await world.clock.pass(1)
  expect(lost.answer).toMatchObject({ error: 'UNKNOWN_MEMBER_ID', memberId: '' })
  const alone = await world.join({ memberId: a!.memberId, sessionTimeoutMs: 1_000_000 })
  expect(alone.members).toHaveLength(1)
})

test('a wall clock that jumps by an hour ends no session', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  world.clock.jump(3_600_000)
  await world.clock.pass(9_000)
  expect(world.heartbeat(a!.memberId, 1)).toBe('NONE')
  world.clock.jump(-7_200_000)
  await world.clock.pass(9_000)
  expect(world.heartbeat(a!.memberId, 1)).toBe('NONE')
  await world.clock.pass(25_000)
  expect(world.state()).toBe('Empty')
})

test('the last one to leave leaves an empty group of the next generation', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  expect(world.leave(a!.memberId, b!.memberId, b!.memberId, 'nobody')).toEqual([
    'NONE',
    'NONE',
    'UNKNOWN_MEMBER_ID',
    'UNKNOWN_MEMBER_ID',
  ])
  expect(world.describe()).toEqual({ state: 'Empty', protocolType: 'consumer', protocol: '', members: [] })
  expect((await world.join()).generation).toBe(4)
})

test('a leave at the barrier lets the others through', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const late = world.join()
  const again = world.join({ memberId: a!.memberId })
  world.leave(b!.memberId)
  expect((await again).generation).toBe(3)
  expect((await late).generation).toBe(3)
})

test.each([
  ['', 10_000, 'INVALID_GROUP_ID'],
  ['g', 5_999, 'INVALID_SESSION_TIMEOUT'],
  ['g', 1_800_001, 'INVALID_SESSION_TIMEOUT'],
] as const)('a join of group %j with a session of %i ms is refused: %s', async (id, sessionTimeoutMs, error) => {
  const world = await World.start()
  const answer = await world.join({ groupId: id, sessionTimeoutMs, memberId: 'm' })
  expect(answer).toMatchObject({ error, memberId: 'm', generation: -1 })
})

test('a refused join leaves no group behind', async () => {
  const world = await World.start()
  await world.join({ protocols: [] })
  await world.join({ memberId: 'nobody' })
  expect(world.groups.list().groups).toEqual([])
})

test('group.max.size: a full group takes nobody, and in a rebalance the first come have the places', async () => {
  const world = await World.start({ 'group.max.size': 2 })
  const [a, b] = await world.stable(2)
  const refused = { error: 'GROUP_MAX_SIZE_REACHED', memberId: '' }
  expect(await world.join()).toMatchObject(refused)
  const again = world.join({ memberId: a!.memberId })
  const newcomer = world.join()
  expect(await world.join({ memberId: b!.memberId })).toMatchObject(refused)
  expect((await again).members).toHaveLength(2)
  expect(await newcomer).toMatchObject({ error: 'NONE' })
})

test('group.max.size: who was given an id and found no room is not waited for', async () => {
  const world = await World.start({ 'group.max.size': 2 })
  const [a, b] = await world.stable(2)
  const again = world.join({ memberId: a!.memberId })
  const { memberId } = await world.join({ idFirst: true })
  const rest = world.join({ memberId: b!.memberId })
  expect(await world.join({ memberId })).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED' })
  expect((await Promise.all([again, rest])).map(({ error }) => error)).toEqual(['NONE', 'NONE'])
  expect(await world.groups.classic.leave(groupId, [{ memberId, instanceId: null }])).toEqual(['UNKNOWN_MEMBER_ID'])
})

test.each([
  ['no such group', 'other', 'ours', 2, 'UNKNOWN_MEMBER_ID'],
  ['the empty group id', '', 'ours', 2, 'INVALID_GROUP_ID'],
  ['no such member', groupId, 'nobody', 2, 'UNKNOWN_MEMBER_ID'],
  ['a generation before', groupId, 'ours', 1, 'ILLEGAL_GENERATION'],
  ['a generation to come', groupId, 'ours', 3, 'ILLEGAL_GENERATION'],
  ['all right', groupId, 'ours', 2, 'NONE'],
] as const)('heartbeat and sync: %s', async (_name, id, member, generation, error) => {
  const world = await World.start()
  const [, b] = await world.stable(2)
  const memberId = member === 'ours' ? b!.memberId : member
  expect(world.groups.classic.heartbeat({ groupId: id, memberId, generation, instanceId: null })).toBe(error)
  const sync = {
    groupId: id,
    memberId,
    generation,
    instanceId: null,
    protocolType: null,
    protocol: null,
    assignments: [],
  }
  expect((await world.groups.classic.sync(sync)).error).toBe(error)
})

test.each([
  ['consumer', 'range', 'NONE'],
  ['connect', 'range', 'INCONSISTENT_GROUP_PROTOCOL'],
  ['consumer', 'sticky', 'INCONSISTENT_GROUP_PROTOCOL'],
] as const)('KIP-559: a sync that believes in %s and %s: %s', async (protocolType, protocol, error) => {
  const world = await World.start()
  const [a] = await world.stable(1)
  const sync = {
    groupId,
    memberId: a!.memberId,
    generation: 1,
    instanceId: null,
    protocolType,
    protocol,
    assignments: [],
  }
  expect((await world.groups.classic.sync(sync)).error).toBe(error)
})

test('what a member sent is kept as a copy: its frame may be used again', async () => {
  const world = await World.start()
  const metadata = subscription('orders')
  const joined = await world.join({ protocols: [{ name: 'range', metadata }] })
  metadata.fill(0xff)
  expect((await world.join({ memberId: joined.memberId })).error).toBe('NONE')
  expect(joined.members[0]!.metadata).toEqual(subscription('orders'))
})
