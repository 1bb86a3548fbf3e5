// Consumer groups (KIP-848) as their members meet them. Epochs and refusals are those of a real Kafka 4.4.0 that was asked
// the same.

import { expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { Consumer, readable, settle } from './consumers.ts'
import { groupId, settled, World } from './world.ts'

async function startWith(
  topics: Record<string, number>,
  config: Parameters<typeof World.start>[0] = {},
): Promise<World> {
  const world = await World.start(config)
  for (const [name, count] of Object.entries(topics)) world.topics.put(name, count)
  return world
}

function described(world: World) {
  const found = world.groups.consumer.describe(groupId)
  if (found instanceof Refusal) return found.error
  return {
    state: found.groupState,
    epochs: [found.groupEpoch, found.assignmentEpoch],
    members: Object.fromEntries(
      found.members.map(({ member, assignment, target }) => [
        member.id,
        {
          epoch: member.epoch,
          has: readable(new Map(assignment.map((a) => [a.topicId, new Set(a.partitions)])), world),
          shall: readable(new Map(target.map((a) => [a.topicId, new Set(a.partitions)])), world),
        },
      ]),
    ),
  }
}

const t = (...partitions: number[]) => partitions.map((partition) => `t-${partition}`)

test('a member that is alone has everything at once; the second waits until the first has let go', async () => {
  const world = await startWith({ t: 4 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  expect(await a.beat()).toMatchObject({ memberEpoch: 2, heartbeatIntervalMs: 5000 })
  expect(a.reads).toEqual(t(0, 1, 2, 3))
  expect(await b.beat()).toMatchObject({ memberEpoch: 3 })
  expect(b.reads).toEqual([])
  expect(described(world)).toMatchObject({ state: 'Reconciling', epochs: [3, 3] })
  expect(await b.beat()).toMatchObject({ assignment: null })
  expect(await a.beat()).toMatchObject({ memberEpoch: 2 })
  expect(a.reads).toEqual(t(0, 1))
  await b.beat()
  expect(b.reads).toEqual([])
  // What a has not confirmed to have let go is still shown as its own.
  expect(described(world)).toMatchObject({ members: { a: { epoch: 2, has: t(0, 1, 2, 3), shall: t(0, 1) } } })
  expect(await a.beat()).toMatchObject({ memberEpoch: 3, assignment: null })
  await b.beat()
  expect(b.reads).toEqual(t(2, 3))
  expect(described(world)).toMatchObject({ state: 'Stable', epochs: [3, 3] })
})

test('a member whose last answer was lost may beat with the epoch before, if it has nothing that is not its own', async () => {
  const world = await startWith({ t: 4 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await settle([a, b])
  const late = { memberEpoch: 2 }
  expect(await a.beat({ ...late, owned: new Map() })).toMatchObject({ memberEpoch: 3 })
  const all = new Map([[world.topics.byName('t')!.id, new Set([0, 1, 2, 3])]])
  for (const owned of [all, null])
    expect(await world.groups.consumer.heartbeat(a.request({ ...late, owned }))).toMatchObject({
      error: 'FENCED_MEMBER_EPOCH',
      message: expect.stringContaining(
        'has a smaller member epoch (2) than the one known by the group coordinator (3)',
      ),
    })
  expect(await world.groups.consumer.heartbeat(a.request({ memberEpoch: 4 }))).toMatchObject({
    error: 'FENCED_MEMBER_EPOCH',
    message: expect.stringContaining('has a greater member epoch (4)'),
  })
})

test('who is silent for its session is out, and the others share what it had', async () => {
  const world = await startWith({ t: 4 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await settle([a, b])
  for (let i = 0; i < 9; i++) {
    await world.clock.pass(5_000)
    await a.beat()
  }
  await settle([a])
  expect(a.reads).toEqual(t(0, 1, 2, 3))
  await b.beat()
  expect(b.error).toBe('UNKNOWN_MEMBER_ID')
})

test('who does not let go within its rebalance timeout is out, though it beats', async () => {
  const world = await startWith({ t: 4 })
  const a = new Consumer(world, 'a', { topics: ['t'], rebalanceTimeoutMs: 12_000 })
  const b = new Consumer(world, 'b', { topics: ['t'] })
  await a.beat()
  await b.beat()
  for (let i = 0; i < 3; i++) {
    expect(await world.groups.consumer.heartbeat(a.request({ owned: null }))).toMatchObject({ memberEpoch: 2 })
    await b.beat()
    await world.clock.pass(5_000)
  }
  expect(await world.groups.consumer.heartbeat(a.request())).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  await settle([b])
  expect(b.reads).toEqual(t(0, 1, 2, 3))
})

test('who is giving back is told to give back more only when that is done, but for what it does not want any more', async () => {
  const world = await startWith({ t: 3, u: 1 })
  const [a, b, c] = ['a', 'b', 'c'].map((id) => new Consumer(world, id, { topics: ['t', 'u'], assignor: 'range' })) as [
    Consumer,
    Consumer,
    Consumer,
  ]
  await a.beat()
  await b.beat()
  await world.groups.consumer.heartbeat(a.request())
  expect(described(world)).toMatchObject({ members: { a: { epoch: 2, shall: ['t-0', 't-1', 'u-0'] } } })
  // The next one takes t-1 of it, but it has not said yet that it let go of t-2.
  await c.beat()
  expect(described(world)).toMatchObject({ members: { a: { epoch: 2, shall: ['t-0', 'u-0'] } } })
  expect(await world.groups.consumer.heartbeat(a.request({ owned: null }))).toMatchObject({ assignment: null })
  const shown = async (part: Parameters<typeof a.request>[0]) => {
    const answer = await world.groups.consumer.heartbeat(a.request(part))
    if (answer instanceof Refusal) throw answer
    return answer.assignment
  }
  const kept = await shown({ owned: null, topics: ['t'] })
  expect(readable(kept!, world)).toEqual(['t-0', 't-1'])
  const left = await shown({ owned: kept })
  expect(readable(left!, world)).toEqual(['t-0'])
  expect(await shown({ owned: left })).toBe(null)
  expect(described(world)).toMatchObject({ members: { a: { epoch: 5, has: ['t-0'] } } })
})

test('a group that the broker gives other times obeys them', async () => {
  const world = await startWith({ t: 1 })
  world.own['consumer.session.timeout.ms'] = 50_000
  world.own['consumer.heartbeat.interval.ms'] = 7_000
  const a = new Consumer(world, 'a', { topics: ['t'] })
  expect(await a.beat()).toMatchObject({ heartbeatIntervalMs: 7_000 })
  await world.clock.pass(49_000)
  await a.beat()
  expect(a.error).toBe('NONE')
  await world.clock.pass(50_000)
  await a.beat()
  expect(a.error).toBe('UNKNOWN_MEMBER_ID')
})

test('a target stands for the interval between two assignments (KIP-1263)', async () => {
  const world = await startWith({ t: 4 })
  world.own['consumer.assignment.interval.ms'] = 1_000
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await a.beat()
  expect(await b.beat()).toMatchObject({ memberEpoch: 2 })
  expect(described(world)).toMatchObject({ state: 'Assigning', epochs: [3, 2] })
  await world.clock.pass(1_000)
  expect(await b.beat()).toMatchObject({ memberEpoch: 3 })
  expect(described(world)).toMatchObject({ state: 'Reconciling', epochs: [3, 3] })
})

// Nobody was given what a member had left until the clock had come there again.
test('a clock that is set back does not let a target stand any longer', async () => {
  const world = await startWith({ t: 4 })
  world.own['consumer.assignment.interval.ms'] = 1_000
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await a.beat()
  world.clock.jump(-600_000)
  expect(await b.beat()).toMatchObject({ memberEpoch: 3 })
})

test('a topic that grows, comes or goes is shared anew with the next heartbeat', async () => {
  const world = await startWith({ t: 2 })
  const a = new Consumer(world, 'a', { topics: ['t', 'u'] })
  await a.beat()
  world.topics.put('t', 3)
  expect(await a.beat()).toMatchObject({ memberEpoch: 3 })
  expect(a.reads).toEqual(t(0, 1, 2))
  world.topics.put('u', 1)
  await a.beat()
  expect(a.reads).toEqual([...t(0, 1, 2), 'u-0'])
  world.topics.put('other', 1)
  expect(await a.beat()).toMatchObject({ memberEpoch: 4, assignment: null })
  world.topics.remove('t')
  await settle([a], 2)
  expect(a.reads).toEqual(['u-0'])
})

test('a regular expression stands for the topics that match it, whenever they come, the broker’s own among them', async () => {
  const world = await startWith({ 'a.1': 1, 'b.1': 1, __consumer_offsets: 1 })
  const a = new Consumer(world, 'a', { regex: '(a|__).*' })
  await a.beat()
  expect(a.reads).toEqual(['__consumer_offsets-0', 'a.1-0'])
  world.topics.put('a.2', 1)
  await a.beat()
  expect(a.reads).toEqual(['__consumer_offsets-0', 'a.1-0', 'a.2-0'])
  a.subscribe({ regex: '[' })
  expect(await a.beat()).toMatchObject({ error: 'INVALID_REGULAR_EXPRESSION' })
  a.subscribe({ regex: 'b.*' })
  await settle([a], 2)
  expect(a.reads).toEqual(['b.1-0'])
})

test('a static member that leaves for a while finds its partitions again, under another id and in the same epoch', async () => {
  const world = await startWith({ t: 4 })
  const a = new Consumer(world, 'a', { topics: ['t'], instanceId: 'i' })
  const b = new Consumer(world, 'b', { topics: ['t'] })
  await settle([a, b])
  const next = new Consumer(world, 'a2', { topics: ['t'], instanceId: 'i' })
  expect(await next.beat()).toMatchObject({
    error: 'UNRELEASED_INSTANCE_ID',
    message: 'Static member a2 with instance id i cannot join the group because the instance id is owned by a member.',
  })
  await a.leave(-2)
  expect(described(world)).toMatchObject({ members: { a: { epoch: -2, has: t(0, 1) } } })
  expect(await next.beat()).toMatchObject({ memberEpoch: 3 })
  expect(next.reads).toEqual(t(0, 1))
  expect(await world.groups.consumer.heartbeat(a.request({ memberEpoch: 3, owned: null }))).toMatchObject({
    error: 'FENCED_INSTANCE_ID',
    message: 'Static member a with instance id i was fenced by member a2.',
  })
  expect(described(world)).toMatchObject({ state: 'Stable', epochs: [3, 3] })
})

test('a static member that does not come back in time is out', async () => {
  const world = await startWith({ t: 4 })
  const a = new Consumer(world, 'a', { topics: ['t'], instanceId: 'i' })
  const b = new Consumer(world, 'b', { topics: ['t'] })
  await settle([a, b])
  await a.leave(-2)
  await world.clock.pass(30_000)
  await settle([b])
  expect(b.reads).toEqual(t(2, 3))
  await world.clock.pass(15_000)
  await settle([b])
  expect(b.reads).toEqual(t(0, 1, 2, 3))
})

test('the last member that leaves leaves an empty group, which goes on counting', async () => {
  const world = await startWith({ t: 1 })
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  await a.leave()
  expect(described(world)).toEqual({ state: 'Empty', epochs: [3, 3], members: {} })
  await a.beat()
  expect(a.epoch).toBe(4)
  await a.leave()
  expect(await world.groups.delete(groupId)).toBe('NONE')
  expect(described(world)).toBe('GROUP_ID_NOT_FOUND')
  await world.restart()
  expect(world.groups.list().groups).toEqual([])
})

test('a full group takes nobody in', async () => {
  const world = await startWith({ t: 4 }, { 'group.consumer.max.size': 1 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await a.beat()
  expect(await b.beat()).toMatchObject({
    error: 'GROUP_MAX_SIZE_REACHED',
    message: 'The consumer group has reached its maximum capacity of 1 members.',
  })
  expect(await a.beat()).toMatchObject({ memberEpoch: 2 })
})

test('a static member that comes back under another id has its place in a full group', async () => {
  const world = await startWith({ t: 4 }, { 'group.consumer.max.size': 1 })
  const words = { topics: ['t'], instanceId: 'i' }
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, words)) as [Consumer, Consumer]
  await a.beat()
  expect(await b.beat()).toMatchObject({ error: 'UNRELEASED_INSTANCE_ID' })
  await world.groups.consumer.heartbeat(a.request({ memberEpoch: -2 }))
  expect(await b.beat()).toMatchObject({ memberId: 'b', memberEpoch: 2 })
})

test('commits carry the member epoch; an older one will do for what the member had by then (KIP-1251)', async () => {
  const world = await startWith({ t: 4 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await settle([a, b])
  const topicId = world.topics.byName('t')!.id
  const commit = async (memberId: string, generation: number, partition = 0, knowsEpochs = true) => {
    const commits = [{ topic: 't', topicId, partition, offset: 5, leaderEpoch: 0, metadata: '' }]
    const of = { groupId, memberId, generation, instanceId: null, retentionMs: null, knowsEpochs, partitions: commits }
    return (await world.groups.offsets.commit({ ...of, commits }))[0]
  }
  expect(await commit('a', 3)).toBe('NONE')
  expect(await commit('a', 2)).toBe('NONE')
  expect(await commit('b', 2, 3)).toBe('STALE_MEMBER_EPOCH')
  expect(await commit('a', 1)).toBe('STALE_MEMBER_EPOCH')
  expect(await commit('a', 4)).toBe('STALE_MEMBER_EPOCH')
  expect(await commit('a', -1)).toBe('STALE_MEMBER_EPOCH')
  expect(await commit('nobody', 3)).toBe('UNKNOWN_MEMBER_ID')
  expect(await commit('', -1)).toBe('UNKNOWN_MEMBER_ID')
  expect(await commit('a', 3, 0, false)).toBe('UNSUPPORTED_VERSION')
  const fetch = (memberId: string | null, generation: number) => {
    const fetched = world.groups.offsets.fetch({ groupId, memberId, generation, wanted: null, requireStable: false })
    return typeof fetched === 'string' ? fetched : fetched.length
  }
  expect([fetch(null, -1), fetch('a', 3), fetch('a', 2), fetch('nobody', 3)]).toEqual([
    1,
    1,
    'STALE_MEMBER_EPOCH',
    'UNKNOWN_MEMBER_ID',
  ])
  await a.leave()
  await b.leave()
  expect(await commit('', -1)).toBe('NONE')
})

test('offsets of a subscribed topic are not deleted and do not age', async () => {
  const world = await startWith({ t: 1, u: 1 })
  const a = new Consumer(world, 'a', { regex: 't' })
  await a.beat()
  await world.commit('a', a.epoch, 1, 0, 't')
  await world.commit('a', a.epoch, 1, 0, 'u')
  const both = [
    { topic: 't', partition: 0 },
    { topic: 'u', partition: 0 },
  ]
  expect(await world.groups.offsets.delete(groupId, both)).toEqual(['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE'])
})

test('a restart changes nothing: members beat on in their epochs, sessions begin anew', async () => {
  const world = await startWith({ t: 4, u: 2 })
  const members = [
    new Consumer(world, 'a', { topics: ['t'] }),
    new Consumer(world, 'b', { topics: ['t', 'u'], instanceId: 'i', assignor: 'range' }),
    new Consumer(world, 'c', { regex: 'u|t' }),
  ]
  for (const member of members) {
    await member.beat()
    const before = described(world)
    await world.restart()
    expect(described(world)).toEqual(before)
  }
  for (let i = 0; i < 4; i++)
    for (const member of members) {
      await member.beat()
      expect(member.error).toBe('NONE')
      const before = described(world)
      world.log.compact()
      await world.restart()
      expect(described(world)).toEqual(before)
    }
  expect(described(world)).toMatchObject({ state: 'Stable' })
  await world.clock.pass(44_000)
  await members[0]!.beat()
  expect(members[0]!.error).toBe('NONE')
  await world.clock.pass(1_000)
  await members[1]!.beat()
  expect(members[1]!.error).toBe('UNKNOWN_MEMBER_ID')
})

test('a full disk refuses the join and changes nothing; a silent member is out once there is room', async () => {
  const world = await startWith({ t: 2 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await a.beat()
  world.log.full = true
  expect(await b.beat()).toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  expect(described(world)).toMatchObject({ epochs: [2, 2], members: { a: { epoch: 2 } } })
  expect(await a.beat()).toMatchObject({ memberEpoch: 2 })
  await world.clock.pass(46_000)
  expect(described(world)).toMatchObject({ members: { a: { epoch: 2 } } })
  world.log.full = false
  await world.clock.pass(46_000)
  expect(described(world)).toMatchObject({ state: 'Empty' })
})

test('heartbeats that come while one is on its way to the log build on it', async () => {
  const world = await startWith({ t: 6 })
  const members = Array.from({ length: 6 }, (_, i) => new Consumer(world, `m${i}`, { topics: ['t'] }))
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const joins = members.map((member) => member.beat())
  await settled()
  open()
  await Promise.all(joins)
  await settle(members)
  expect(members.flatMap(({ reads }) => reads).sort()).toEqual(t(0, 1, 2, 3, 4, 5))
  expect(described(world)).toMatchObject({ state: 'Stable', epochs: [7, 7] })
})

test('stopping lets go of every timer', async () => {
  const world = await startWith({ t: 4 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await a.beat()
  await b.beat()
  await a.beat()
  world.groups.stop()
  expect(world.clock.timerCount).toBe(0)
})

test('offsets of an empty group age from their commit, and the group goes with the last of them', async () => {
  const world = await startWith({ t: 1, u: 1 }, { 'offsets.retention.minutes': 1 })
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  await world.commit('a', a.epoch, 1, 0, 't')
  await world.commit('a', a.epoch, 1, 0, 'u')
  for (let i = 0; i < 5; i++) {
    await world.clock.pass(20_000)
    await a.beat()
  }
  await world.groups.expireOffsets()
  expect(world.committed()).toEqual(['t-0: 1'])
  await a.leave()
  await world.groups.expireOffsets()
  expect(world.groups.list().groups).toEqual([])
  await world.restart()
  expect(world.groups.list().groups).toEqual([])
})

test('a topic that is made anew under its name is another one', async () => {
  const world = await startWith({ t: 2 })
  const a = new Consumer(world, 'a', { topics: ['t'] })
  await a.beat()
  const [before] = [...a.owned.keys()]
  world.topics.remove('t')
  world.topics.put('t', 1)
  await settle([a], 3)
  expect(a.reads).toEqual(t(0))
  expect([...a.owned.keys()]).not.toContain(before)
})

test('without the protocol among group.coordinator.rebalance.protocols nobody is served', async () => {
  const world = await startWith({ t: 1 }, { 'group.coordinator.rebalance.protocols': ['classic'] })
  expect(world.groups.consumer.isServed).toBe(false)
})

test('a transaction commits with the member epoch, or an older one for what the member had by then', async () => {
  const world = await startWith({ t: 4 })
  const [a, b] = ['a', 'b'].map((id) => new Consumer(world, id, { topics: ['t'] })) as [Consumer, Consumer]
  await settle([a, b])
  const topicId = world.topics.byName('t')!.id
  const stage = async (memberId: string, generation: number, partition = 0) => {
    const commits = [{ topic: 't', topicId, partition, offset: 9, leaderEpoch: 0, metadata: '' }]
    const who = { groupId, generation, memberId, instanceId: null, producerId: 7, producerEpoch: 0 }
    return (await world.groups.transactions.stage({ ...who, commits }))[0]
  }
  expect([await stage('a', 3), await stage('a', 2), await stage('b', 2, 3), await stage('a', 1)]).toEqual([
    'NONE',
    'NONE',
    'ILLEGAL_GENERATION',
    'ILLEGAL_GENERATION',
  ])
  expect([await stage('a', 4), await stage('z', 3), await stage('', -1)]).toEqual([
    'ILLEGAL_GENERATION',
    'UNKNOWN_MEMBER_ID',
    'NONE',
  ])
})
