// KIP-345: members with a group.instance.id keep their place while they are away, and one holder at a time has it.

import { expect, test } from 'vitest'
import { groupId, protocolsNamed, settled, subscription, World, watched } from './world.ts'

const named = (instanceId: string) => ({ instanceId })
/** A stable group of two static members, `one` leading. */
const pair = (world: World) => world.stable(2, (i) => named(i === 0 ? 'one' : 'two'))
const sync = (world: World, memberId: string, generation: number, instanceId: string) =>
  world.sync(memberId, generation, {}, instanceId)

test('a static member gets its id at once, and the id bears its name', async () => {
  const world = await World.start()
  const answer = await world.join({ instanceId: 'one', idFirst: true })
  expect(answer).toMatchObject({ error: 'NONE', generation: 1 })
  expect(answer.memberId).toMatch(/^one-/)
  expect(answer.members[0]!.groupInstanceId).toBe('one')
})

test('a follower that returns gets a new id and its old assignment, and nobody rebalances', async () => {
  const world = await World.start()
  const [one, two] = await pair(world)
  const back = await world.join(named('two'))
  expect(back).toMatchObject({
    error: 'NONE',
    generation: 2,
    leader: one!.memberId,
    skipAssignment: false,
    members: [],
  })
  expect(back.memberId).not.toBe(two!.memberId)
  expect((await sync(world, back.memberId, 2, 'two')).assignment.toString()).toBe('of 1')
  expect(world.heartbeat(one!.memberId, 2, 'one')).toBe('NONE')
})

test('KIP-814: a leader that returns is shown the members and told not to assign', async () => {
  const world = await World.start()
  await pair(world)
  const back = await world.join(named('one'))
  expect(back).toMatchObject({ error: 'NONE', generation: 2, leader: back.memberId, skipAssignment: true })
  expect(back.members).toHaveLength(2)
})

test('a leader that returns with an older client is not told that it leads', async () => {
  const world = await World.start()
  const [one] = await pair(world)
  const back = await world.join({ ...named('one'), canSkipAssignment: false })
  expect(back).toMatchObject({ error: 'NONE', leader: one!.memberId, skipAssignment: false, members: [] })
  expect(back.memberId).not.toBe(one!.memberId)
})

test('who uses the old id is fenced, with the instance id, and unknown without', async () => {
  const world = await World.start()
  const [, two] = await pair(world)
  await world.join(named('two'))
  const old = two!.memberId
  const commit = { groupId, generation: 2, memberId: old, instanceId: 'two', retentionMs: null }
  const commits = [{ topic: 't', topicId: null, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }]
  expect(world.heartbeat(old, 2, 'two')).toBe('FENCED_INSTANCE_ID')
  expect(world.heartbeat(old, 2)).toBe('UNKNOWN_MEMBER_ID')
  expect((await sync(world, old, 2, 'two')).error).toBe('FENCED_INSTANCE_ID')
  expect((await world.join({ memberId: old, instanceId: 'two' })).error).toBe('FENCED_INSTANCE_ID')
  expect(await world.groups.offsets.commit({ ...commit, commits })).toEqual(['FENCED_INSTANCE_ID'])
  expect(world.groups.classic.leave(groupId, [{ memberId: old, instanceId: 'two' }])).toEqual(['FENCED_INSTANCE_ID'])
  expect(world.heartbeat('x', 2, 'three')).toBe('UNKNOWN_MEMBER_ID')
})

test('a parked join is fenced by a second one for the same instance', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  const first = world.join(named('one'))
  const second = world.join(named('one'))
  expect((await first).error).toBe('FENCED_INSTANCE_ID')
  expect((await world.join({ memberId: a!.memberId })).members).toHaveLength(2)
  expect(await second).toMatchObject({ error: 'NONE', generation: 2 })
})

test('a parked sync is fenced by a return, which starts a rebalance', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  const late = world.join(named('one'))
  await world.join({ memberId: a!.memberId })
  const parked = world.sync((await late).memberId, 2, {}, 'one')
  const back = world.join(named('one'))
  expect((await parked).error).toBe('FENCED_INSTANCE_ID')
  expect(world.heartbeat(a!.memberId, 2)).toBe('REBALANCE_IN_PROGRESS')
  await world.join({ memberId: a!.memberId })
  expect(await back).toMatchObject({ error: 'NONE', generation: 3 })
})

test('a return that changes the protocol the group would elect starts a rebalance', async () => {
  const world = await World.start()
  const [one] = await world.stable(2, (i) => ({
    ...named(i === 0 ? 'one' : 'two'),
    protocols: protocolsNamed('x', 'y'),
  }))
  const back = watched(world.join({ ...named('two'), protocols: protocolsNamed('y') }))
  await settled()
  expect(back.answer).toBeUndefined()
  expect(world.heartbeat(one!.memberId, 2, 'one')).toBe('REBALANCE_IN_PROGRESS')
  await world.join({ memberId: one!.memberId, instanceId: 'one', protocols: protocolsNamed('x', 'y') })
  expect((await back.promise).protocol).toBe('y')
})

test('a return with another subscription is remembered (and does not rebalance, as in the real broker)', async () => {
  const world = await World.start()
  await pair(world)
  const metadata = subscription('refunds')
  const back = await world.join({ ...named('one'), protocols: [{ name: 'range', metadata }] })
  expect(back).toMatchObject({ error: 'NONE', generation: 2 })
  expect(back.members[0]!.metadata).toEqual(subscription('orders'))
  expect(back.members.find(({ memberId }) => memberId === back.memberId)!.metadata).toEqual(metadata)
})

test('a static member that misses a rebalance stays until its session ends, with another leader', async () => {
  const world = await World.start()
  const request = { rebalanceTimeoutMs: 3_000, sessionTimeoutMs: 20_000 }
  const [one, b] = await world.stable(2, (i) => (i === 0 ? { ...named('one'), ...request } : request))
  const late = world.join(request)
  const again = world.join({ memberId: b!.memberId, ...request })
  await world.clock.pass(3_000)
  expect(await again).toMatchObject({ generation: 3, leader: b!.memberId })
  expect((await again).members).toHaveLength(3)
  expect((await late).generation).toBe(3)
  const parts = { [one!.memberId]: 'kept' }
  await world.sync(b!.memberId, 3, parts)
  expect((await world.sync(one!.memberId, 3, {}, 'one')).assignment.toString()).toBe('kept')
})

test('when only absent static members are left, the barrier stays until their sessions end', async () => {
  const world = await World.start()
  const request = { rebalanceTimeoutMs: 3_000, sessionTimeoutMs: 10_000 }
  const [, b] = await world.stable(2, (i) => (i === 0 ? { ...named('one'), ...request } : request))
  world.leave(b!.memberId)
  await world.clock.pass(9_000)
  expect(world.state()).toBe('PreparingRebalance')
  await world.clock.pass(1_000)
  expect(world.describe()).toMatchObject({ state: 'Empty', members: [] })
})

test('an administrator sends static members away by name', async () => {
  const world = await World.start()
  const [one, two] = await pair(world)
  const leavers = ['one', 'three'].map((instanceId) => ({ memberId: '', instanceId }))
  expect(world.groups.classic.leave(groupId, leavers)).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
  expect(world.heartbeat(one!.memberId, 2, 'one')).toBe('UNKNOWN_MEMBER_ID')
  expect(world.heartbeat(two!.memberId, 2, 'two')).toBe('REBALANCE_IN_PROGRESS')
})

test('the new id of a return outlives a restart', async () => {
  const world = await World.start()
  await pair(world)
  const back = await world.join(named('two'))
  await world.restart()
  expect(world.heartbeat(back.memberId, 2, 'two')).toBe('NONE')
})

test('a return that cannot be stored is refused, and may be tried again', async () => {
  const world = await World.start()
  await pair(world)
  world.log.full = true
  expect(await world.join(named('two'))).toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE', generation: -1 })
  world.log.full = false
  const back = await world.join(named('two'))
  expect(back.error).toBe('NONE')
  expect((await sync(world, back.memberId, 2, 'two')).assignment.toString()).toBe('of 1')
})

test('a return that is overtaken by a rebalance while it is stored joins the next generation', async () => {
  const world = await World.start()
  const [one] = await pair(world)
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const back = watched(world.join(named('two')))
  const again = watched(world.join({ memberId: one!.memberId, instanceId: 'one' }))
  open()
  await settled()
  expect(back.answer).toMatchObject({ error: 'NONE', generation: 3 })
  expect(again.answer).toMatchObject({ error: 'NONE', generation: 3 })
})
