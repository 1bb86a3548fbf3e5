// Groups that change their type while members are in them (KIP-848). What members are told is what a real Kafka 4.4.0 told them.

import { expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { assignmentBytes, assignmentIn, Consumer, settle, subscriptionOf } from './consumers.ts'
import { groupId, World } from './world.ts'

const protocols = (...topics: string[]) => [{ name: 'range', metadata: subscriptionOf(topics) }]

/** Two classic members, x with t-0 and t-1, y with t-2 and t-3, in generation 2. */
async function startClassic(config: Parameters<typeof World.start>[0] = {}) {
  const world = await World.start(config)
  world.topics.put('t', 4)
  const joins = await world.stable(2, () => ({ protocols: protocols('t'), sessionTimeoutMs: 30_000 }))
  const [x, y] = joins.map(({ memberId }) => memberId) as [string, string]
  const again = [
    world.join({ memberId: x, protocols: protocols('t') }),
    world.join({ memberId: y, protocols: protocols('t') }),
  ]
  await Promise.all(again)
  const assignments = [
    { memberId: x, assignment: assignmentBytes({ t: [0, 1] }) },
    { memberId: y, assignment: assignmentBytes({ t: [2, 3] }) },
  ]
  const of = { groupId, generation: 3, instanceId: null, protocolType: null, protocol: null }
  await world.groups.classic.sync({ ...of, memberId: x, assignments })
  await world.groups.classic.sync({ ...of, memberId: y, assignments: [] })
  return { world, x, y }
}

const typeOf = (world: World) => world.groups.list().groups.map(({ type, state }) => `${type} ${state}`)
const sync = async (world: World, memberId: string, generation: number) => {
  const of = { groupId, memberId, generation, instanceId: null, protocolType: 'consumer', protocol: 'range' }
  const answer = await world.groups.classic.sync({ ...of, assignments: [] })
  return answer.error === 'NONE' ? assignmentIn(answer.assignment) : answer.error
}
const rejoin = (world: World, memberId: string, owned: number[]) =>
  world.join({
    memberId,
    protocols: [{ name: 'range', metadata: subscriptionOf(['t'], [{ topic: 't', partitions: owned }]) }],
  })

test('a consumer joins a classic group: its members are asked to join again, give back, and read on', async () => {
  const { world, x, y } = await startClassic()
  const a = new Consumer(world, 'a', { topics: ['t'] })
  expect(await a.beat()).toMatchObject({ memberEpoch: 4 })
  expect(typeOf(world)).toEqual(['consumer Reconciling'])
  expect([
    world.heartbeat(x, 3),
    world.heartbeat(x, 99),
    world.heartbeat('nobody', 3),
    world.heartbeat('a', 4),
  ]).toEqual(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'])
  expect(await sync(world, x, 3)).toBe('REBALANCE_IN_PROGRESS')
  expect(await rejoin(world, x, [0, 1])).toMatchObject({ generation: 4, leader: '', members: [], protocol: 'range' })
  expect(await sync(world, x, 4)).toEqual(['t-0', 't-1'])
  // y has to give one back: it stays in its generation until it has said that it did.
  expect(await rejoin(world, y, [2, 3])).toMatchObject({ error: 'NONE', generation: 3 })
  expect(await sync(world, y, 3)).toEqual(['t-2'])
  expect(world.heartbeat(y, 3)).toBe('REBALANCE_IN_PROGRESS')
  expect(await rejoin(world, y, [2])).toMatchObject({ generation: 4 })
  expect(await sync(world, y, 4)).toEqual(['t-2'])
  expect(world.heartbeat(y, 4)).toBe('NONE')
  await a.beat()
  expect(a.reads).toEqual(['t-3'])
  expect(typeOf(world)).toEqual(['consumer Stable'])
  expect(await world.commit(x, 4, 7, 0, 't')).toEqual(['NONE'])
  const before = world.groups.consumer.describe(groupId)
  await world.restart()
  expect(world.groups.consumer.describe(groupId)).toEqual(before)
  expect([world.heartbeat(x, 4), world.heartbeat(y, 4)]).toEqual(['NONE', 'NONE'])
})

test('a classic member of a consumer group may commit in the generation before what it has had since then (KIP-1251)', async () => {
  const { world, x, y } = await startClassic()
  await new Consumer(world, 'a', { topics: ['t'] }).beat()
  await rejoin(world, x, [0, 1])
  await rejoin(world, y, [2, 3])
  await rejoin(world, y, [2])
  const topicId = world.topics.byName('t')!.id
  const commit = async (memberId: string, generation: number, ...partitions: number[]) => {
    const commits = partitions.map((partition) => {
      return { topic: 't', topicId, partition, offset: 5, leaderEpoch: 0, metadata: '' }
    })
    const of = { groupId, memberId, generation, instanceId: null, retentionMs: null, partitions: commits }
    return (await world.groups.offsets.commit({ ...of, commits }))[0]
  }
  expect([await commit(x, 3, 0, 1), await commit(y, 3, 2)]).toEqual(['NONE', 'NONE'])
  for (const refused of [commit(y, 3, 3), commit(y, 3, 2, 3), commit(x, 2, 0), commit(x, 5, 0), commit(x, -1, 0)])
    expect(await refused).toBe('ILLEGAL_GENERATION')
})

test('the last consumer leaves: the classic members make a generation of their own', async () => {
  const { world, x, y } = await startClassic()
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  await rejoin(world, x, [0, 1])
  await a.leave()
  expect(typeOf(world)).toEqual(['classic PreparingRebalance'])
  expect([world.heartbeat(x, 4), world.heartbeat(y, 3)]).toEqual(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION'])
  const joins = await Promise.all([rejoin(world, x, []), rejoin(world, y, [])])
  expect(joins.map(({ generation }) => generation)).toEqual([5, 5])
  expect(typeOf(world)).toEqual(['classic CompletingRebalance'])
})

test('a broker that is killed on the way back finds the classic group, and has its members join', async () => {
  const { world, x } = await startClassic()
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  await a.leave()
  await world.restart()
  expect(typeOf(world)).toEqual(['classic PreparingRebalance'])
  expect(world.heartbeat(x, 4)).toBe('REBALANCE_IN_PROGRESS')
})

test('a consumer that dies is gone like one that leaves: its group follows', async () => {
  const { world, x, y } = await startClassic()
  await new Consumer(world, 'a', { topics: ['t'] }).beat()
  for (let i = 0; i < 8; i++) {
    for (const [id, owned] of [
      [x, [0, 1]],
      [y, [2]],
    ] as const) {
      const joined = await rejoin(world, id, [...owned])
      if (joined.error === 'NONE' && joined.leader === '') await sync(world, id, joined.generation)
    }
    await world.clock.pass(5_000)
  }
  expect(typeOf(world)[0]).toContain('consumer')
  await world.clock.pass(5_000)
  expect(typeOf(world)).toEqual(['classic PreparingRebalance'])
})

test('a member that was asked to join and does not is out', async () => {
  const { world, x, y } = await startClassic()
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  const joined = await rejoin(world, x, [0, 1])
  await sync(world, x, joined.generation)
  for (let i = 0; i < 13; i++) {
    await a.beat()
    world.heartbeat(x, joined.generation)
    world.heartbeat(y, 3)
    await world.clock.pass(5_000)
  }
  expect(world.heartbeat(y, 3)).toBe('UNKNOWN_MEMBER_ID')
})

test.each([
  ['disabled', 'online upgrade is disabled.'],
  ['downgrade', 'online upgrade is disabled.'],
])('the policy %s keeps consumers out of classic groups with members', async (policy, why) => {
  const { world } = await startClassic({ 'group.consumer.migration.policy': policy })
  const message = `Cannot upgrade classic group readers to consumer group because ${why}`
  const a = new Consumer(world, 'a', { topics: ['t'] })
  expect(await a.beat()).toEqual(new Refusal('GROUP_ID_NOT_FOUND', message))
  expect(typeOf(world)).toEqual(['classic Stable'])
})

test('the policy disabled keeps classic members out of consumer groups too', async () => {
  const world = await World.start({ 'group.consumer.migration.policy': 'disabled' })
  await new Consumer(world, 'a', { topics: ['t'] }).beat()
  expect(await world.join({ protocols: protocols('t') })).toMatchObject({ error: 'INCONSISTENT_GROUP_PROTOCOL' })
})

test('a full classic group takes no consumer in, and one whose subscriptions cannot be read does not change', async () => {
  const { world } = await startClassic({ 'group.consumer.max.size': 2 })
  const a = new Consumer(world, 'a', { topics: ['t'] })
  expect(await a.beat()).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED' })
  const other = await World.start()
  const protocol = [{ name: 'range', metadata: Buffer.from([0, 9]) }]
  await other.finish([await other.join({ protocols: protocol })])
  expect(await new Consumer(other, 'a', { topics: ['t'] }).beat()).toEqual(
    new Refusal(
      'GROUP_ID_NOT_FOUND',
      'Cannot upgrade classic group readers to consumer group because the embedded consumer protocol is malformed.',
    ),
  )
})

test('without permission to go back, a group of classic members stays a consumer group', async () => {
  const { world } = await startClassic({ 'group.consumer.migration.policy': 'UPGRADE' })
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  await a.leave()
  expect(typeOf(world)).toEqual(['consumer Assigning'])
})

test('a group of Connect workers is no consumer group', async () => {
  const world = await World.start()
  await world.finish([await world.join({ protocolType: 'connect' })])
  const a = new Consumer(world, 'a', { topics: ['t'] })
  expect(await a.beat()).toMatchObject({
    error: 'GROUP_ID_NOT_FOUND',
    message:
      'Cannot upgrade classic group readers to consumer group because the group does not use the consumer embedded protocol.',
  })
})

test('where the disk refuses the change of type, the classic group goes on', async () => {
  const { world, x, y } = await startClassic()
  world.log.full = true
  const a = new Consumer(world, 'a', { topics: ['t'] })
  expect(await a.beat()).toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  world.log.full = false
  expect(typeOf(world)).toEqual(['classic PreparingRebalance'])
  expect([world.heartbeat(x, 3), world.heartbeat(y, 3)]).toEqual(['REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS'])
  const joins = await Promise.all([rejoin(world, x, []), rejoin(world, y, [])])
  expect(joins.map(({ error, generation }) => [error, generation])).toEqual([
    ['NONE', 4],
    ['NONE', 4],
  ])
})

test('an empty group takes the type of whoever comes, and keeps its offsets', async () => {
  const world = await World.start()
  world.topics.put('t', 4)
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  await world.commit('a', a.epoch, 5, 0, 't')
  await a.leave()
  const joined = await world.join({ protocols: protocols('t') })
  expect(joined).toMatchObject({ error: 'NONE', generation: 1 })
  expect(typeOf(world)).toEqual(['classic CompletingRebalance'])
  await world.leave(joined.memberId)
  await settle([a], 2)
  expect(typeOf(world)).toEqual(['consumer Stable'])
  expect(world.committed()).toEqual(['t-0: 5'])
  world.log.compact()
  await world.restart()
  expect(typeOf(world)).toEqual(['consumer Stable'])
  expect(world.committed()).toEqual(['t-0: 5'])
})

test('classic members must be able to agree among themselves, should the group become theirs', async () => {
  const { world } = await startClassic()
  await new Consumer(world, 'a', { topics: ['t'] }).beat()
  const other = [{ name: 'sticky', metadata: subscriptionOf(['t']) }]
  expect(await world.join({ protocols: other })).toMatchObject({ error: 'INCONSISTENT_GROUP_PROTOCOL' })
  expect(await world.join({ protocols: protocols('t'), protocolType: 'connect' })).toMatchObject({
    error: 'INCONSISTENT_GROUP_PROTOCOL',
  })
  const junk = [{ name: 'range', metadata: Buffer.from([0, 9]) }]
  expect(await world.join({ protocols: junk })).toMatchObject({ error: 'INCONSISTENT_GROUP_PROTOCOL' })
})

test('a classic client that has no id yet is given one like those of consumers, without its own name in it', async () => {
  const { world } = await startClassic()
  await new Consumer(world, 'a', { topics: ['t'] }).beat()
  const { error, memberId } = await world.join({ protocols: protocols('t'), idFirst: true })
  expect([error, memberId]).toEqual(['MEMBER_ID_REQUIRED', expect.stringMatching(/^[\w-]{22}$/)])
})

test('an administrator removes members of either protocol, static ones by instance', async () => {
  const { world, x } = await startClassic()
  const a = new Consumer(world, 'a', { topics: ['t'], instanceId: 'i' })
  await a.beat()
  const left = await world.groups.classic.leave(groupId, [
    { memberId: x, instanceId: null },
    { memberId: 'nobody', instanceId: null },
    { memberId: 'b', instanceId: 'i' },
    { memberId: '', instanceId: 'i' },
  ])
  expect(left).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'NONE'])
})
