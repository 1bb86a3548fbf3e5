// Committed offsets: who may commit, what is given back, when they are forgotten.

import { expect, test } from 'vitest'
import type { Commit } from '../../src/group/offset-requests.ts'
import { Offsets } from '../../src/group/offsets.ts'
import { groupId, protocolsNamed, settled, subscription, World, watched } from './world.ts'

const minute = 60_000
const commitOf = (topic: string, offset: number, more: Partial<Commit> = {}): Commit => ({
  topic,
  topicId: null,
  partition: 0,
  offset,
  leaderEpoch: -1,
  metadata: '',
  ...more,
})
/** Somebody outside group management. */
const simple = (world: World, id: string, commits: readonly Commit[], retentionMs: number | null = null) =>
  world.groups.offsets.commit({ groupId: id, generation: -1, memberId: '', instanceId: null, retentionMs, commits })

test.each([
  // state, generation, member → answer
  ['no group', -1, '', 'NONE'],
  ['no group', -1, 'somebody', 'NONE'],
  ['no group', 1, 'somebody', 'GROUP_ID_NOT_FOUND'],
  ['Empty', -1, '', 'NONE'],
  ['Empty', -1, 'somebody', 'NONE'],
  ['Empty', 2, 'ours', 'UNKNOWN_MEMBER_ID'],
  ['Stable', 1, 'ours', 'NONE'],
  ['Stable', -1, '', 'UNKNOWN_MEMBER_ID'],
  ['Stable', -1, 'ours', 'ILLEGAL_GENERATION'],
  ['Stable', 0, 'ours', 'ILLEGAL_GENERATION'],
  ['Stable', 1, 'nobody', 'UNKNOWN_MEMBER_ID'],
  ['PreparingRebalance', 1, 'ours', 'NONE'],
  ['PreparingRebalance', -1, '', 'UNKNOWN_MEMBER_ID'],
  ['CompletingRebalance', 1, 'ours', 'REBALANCE_IN_PROGRESS'],
  ['CompletingRebalance', 0, 'ours', 'ILLEGAL_GENERATION'],
] as const)('a commit while %s with generation %i and member %j: %s', async (state, generation, member, error) => {
  const world = await World.start()
  let ours = 'gone'
  if (state === 'CompletingRebalance') ours = (await world.join()).memberId
  else if (state !== 'no group') ours = (await world.stable(1))[0]!.memberId
  if (state === 'PreparingRebalance') void world.join()
  if (state === 'Empty') world.leave(ours)
  expect(world.state()).toBe(state === 'no group' ? 'GROUP_ID_NOT_FOUND' : state)
  expect(await world.commit(member === 'ours' ? ours : member, generation, 5)).toEqual([error])
  expect(world.committed()).toEqual(error === 'NONE' ? ['orders-0: 5'] : [])
})

test('what is committed is given back as it came', async () => {
  const world = await World.start()
  const commit = commitOf('orders', 42, {
    leaderEpoch: 9,
    metadata: 'läuft',
    partition: 3,
    topicId: `${'A'.repeat(21)}Q`,
  })
  await simple(world, 'tool', [commit, commitOf('refunds', -5)])
  const wanted = [
    { topic: 'orders', partition: 3, topicId: null },
    { topic: 'orders', partition: 4, topicId: null },
    { topic: 'refunds', partition: 0, topicId: null },
  ]
  const fetched = world.groups.offsets.fetch({ groupId: 'tool', wanted, requireStable: true })
  expect(fetched).toMatchObject([
    { error: 'NONE', committed: { offset: 42, leaderEpoch: 9, metadata: 'läuft' } },
    { error: 'NONE', committed: undefined },
    { error: 'NONE', committed: { offset: -5, leaderEpoch: -1, metadata: '' } },
  ])
})

test('a simple consumer may call its group by the empty name', async () => {
  const world = await World.start()
  expect(await simple(world, '', [commitOf('orders', 1)])).toEqual(['NONE'])
  expect(world.committed('')).toEqual(['orders-0: 1'])
})

test('a group that was never heard of has committed nothing', async () => {
  const world = await World.start()
  expect(world.committed('nobody')).toEqual([])
  expect(world.groups.list().groups).toEqual([])
})

test('metadata that is too large is refused, beside others that are not', async () => {
  const world = await World.start({ 'offset.metadata.max.bytes': 4 })
  const commits = [commitOf('a', 1, { metadata: '12345' }), commitOf('b', 2, { metadata: '1234' })]
  expect(await simple(world, 'tool', commits)).toEqual(['OFFSET_METADATA_TOO_LARGE', 'NONE'])
  expect(world.committed('tool')).toEqual(['b-0: 2'])
})

test('nothing is committed before it is stored', async () => {
  const world = await World.start()
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const answer = watched(simple(world, 'tool', [commitOf('orders', 1)]))
  await settled()
  expect([answer.answer, world.committed('tool')]).toEqual([undefined, []])
  open()
  expect(await answer.promise).toEqual(['NONE'])
  expect(world.committed('tool')).toEqual(['orders-0: 1'])
})

test('commits that arrive while one is stored share the next append, and the last one counts', async () => {
  const world = await World.start()
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const first = simple(world, 'tool', [commitOf('orders', 0)])
  await settled()
  const others = Array.from({ length: 20 }, (_, i) => simple(world, 'tool', [commitOf('orders', i + 1)]))
  open()
  await Promise.all([first, ...others])
  expect(world.log.appendCount).toBe(2)
  expect(world.committed('tool')).toEqual(['orders-0: 20'])
})

test('a commit that the disk refuses changes nothing, and the next one may succeed', async () => {
  const world = await World.start()
  await simple(world, 'tool', [commitOf('orders', 1)])
  world.log.full = true
  expect(await simple(world, 'tool', [commitOf('orders', 2)])).toEqual(['COORDINATOR_NOT_AVAILABLE'])
  expect(world.committed('tool')).toEqual(['orders-0: 1'])
  world.log.full = false
  expect(await simple(world, 'tool', [commitOf('orders', 3)])).toEqual(['NONE'])
  expect(world.committed('tool')).toEqual(['orders-0: 3'])
})

test('KIP-447: an offset with an open transaction on it is unstable until the transaction ends', () => {
  const offsets = new Offsets()
  const committed = { offset: 7, leaderEpoch: -1, metadata: '', commitAt: 0, expireAt: null, topicId: null }
  offsets.stage(11, [{ topic: 't', partition: 0, committed }])
  offsets.stage(12, [{ topic: 't', partition: 1, committed }])
  expect([offsets.isUnstable('t', 0), offsets.isUnstable('t', 2), offsets.get('t', 0)]).toEqual([
    true,
    false,
    undefined,
  ])
  offsets.settle(11, 'commit')
  offsets.settle(12, 'abort')
  expect([offsets.get('t', 0)?.offset, offsets.get('t', 1), offsets.isUnstable('t', 1)]).toEqual([7, undefined, false])
})

// --- forgetting

test('OffsetDelete spares the topics that somebody reads', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  await world.commit(a!.memberId, 1, 1)
  await world.commit(a!.memberId, 1, 1, 0, 'refunds')
  const doomed = ['orders', 'refunds', 'never'].map((topic) => ({ topic, partition: 0 }))
  expect(await world.groups.offsets.delete(groupId, doomed)).toEqual(['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE', 'NONE'])
  expect(world.committed()).toEqual(['orders-0: 1'])
  await world.restart()
  expect(world.committed()).toEqual(['orders-0: 1'])
})

test.each([
  ['consumer', Buffer.from('not a subscription'), ['GROUP_SUBSCRIBED_TO_TOPIC']],
  ['consumer', subscription('refunds'), ['NONE']],
  ['connect', subscription('refunds'), 'NON_EMPTY_GROUP'],
] as const)('OffsetDelete in a group of type %s whose member says %j: %j', async (protocolType, metadata, answer) => {
  const world = await World.start()
  const joined = await world.join({ protocolType, protocols: [{ name: 'p', metadata }] })
  await world.groups.classic.sync({
    groupId,
    memberId: joined.memberId,
    generation: 1,
    instanceId: null,
    protocolType: null,
    protocol: null,
    assignments: [],
  })
  expect(await world.groups.offsets.delete(groupId, [{ topic: 'orders', partition: 0 }])).toEqual(answer)
})

test.each([
  ['', 'INVALID_GROUP_ID'],
  ['nobody', 'GROUP_ID_NOT_FOUND'],
] as const)('OffsetDelete of group %j: %s', async (id, error) => {
  const world = await World.start()
  expect(await world.groups.offsets.delete(id, [])).toBe(error)
})

test('DeleteGroups takes empty groups with all their offsets, and no others', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  await world.commit(a!.memberId, 1, 1)
  expect(await world.groups.delete('nobody')).toBe('GROUP_ID_NOT_FOUND')
  expect(await world.groups.delete(groupId)).toBe('NON_EMPTY_GROUP')
  world.leave(a!.memberId)
  expect(await world.groups.delete(groupId)).toBe('NONE')
  expect(await world.groups.delete(groupId)).toBe('GROUP_ID_NOT_FOUND')
  expect([world.state(), world.committed()]).toEqual(['GROUP_ID_NOT_FOUND', []])
  await world.restart()
  expect([world.state(), world.committed()]).toEqual(['GROUP_ID_NOT_FOUND', []])
  expect((await world.join()).generation).toBe(1)
})

test('a group that the disk will not forget is still there, with its offsets', async () => {
  const world = await World.start()
  await simple(world, 'tool', [commitOf('orders', 1)])
  world.log.full = true
  expect(await world.groups.delete('tool')).toBe('COORDINATOR_NOT_AVAILABLE')
  expect([world.state('tool'), world.committed('tool')]).toEqual(['Empty', ['orders-0: 1']])
})

test('a commit on its way does not outlive the group that is deleted behind it; one that comes later does', async () => {
  const world = await World.start()
  await simple(world, 'tool', [commitOf('orders', 1)])
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const before = simple(world, 'tool', [commitOf('refunds', 2)])
  const deleted = world.groups.delete('tool')
  const after = simple(world, 'tool', [commitOf('returns', 3)])
  open()
  expect([await before, await deleted, await after]).toEqual([['NONE'], 'NONE', ['NONE']])
  expect(world.committed('tool')).toEqual(['returns-0: 3'])
  await world.restart()
  expect(world.committed('tool')).toEqual(['returns-0: 3'])
})

test('a member that joins while its group is being deleted saves it, or is told to come back', async () => {
  const world = await World.start()
  await simple(world, groupId, [commitOf('orders', 1)])
  const deleted = world.groups.delete(groupId)
  const joined = await world.join()
  expect([await deleted, joined.error]).toEqual(['NON_EMPTY_GROUP', 'NONE'])
  world.leave(joined.memberId)
  await settled()
  let open = () => {}
  world.log.gate = new Promise((resolve) => {
    open = resolve
  })
  const again = world.groups.delete(groupId)
  await settled()
  expect((await world.join()).error).toBe('COORDINATOR_NOT_AVAILABLE')
  open()
  expect(await again).toBe('NONE')
  expect((await world.join()).error).toBe('NONE')
})

test('offsets of a deleted topic are gone, those of a new one of that name are not', async () => {
  const world = await World.start()
  const topicId = `${'B'.repeat(21)}A`
  const other = `${'C'.repeat(21)}A`
  await simple(world, 'tool', [commitOf('orders', 1, { topicId }), commitOf('refunds', 2)])
  await simple(world, 'other', [commitOf('orders', 3, { topicId: other })])
  const wanted = [{ topic: 'orders', partition: 0, topicId }]
  const stale = world.groups.offsets.fetch({ groupId: 'other', wanted, requireStable: false })
  expect(stale).toMatchObject([{ error: 'NONE', committed: undefined }])
  await world.groups.offsets.onTopicDeleted('orders', topicId)
  const expected = [['refunds-0: 2'], ['orders-0: 3']]
  expect([world.committed('tool'), world.committed('other')]).toEqual(expected)
  await world.restart()
  expect([world.committed('tool'), world.committed('other')]).toEqual(expected)
})

test('KIP-211: offsets of a group expire when it has been empty for the retention time', async () => {
  const world = await World.start({ 'offsets.retention.minutes': 60 })
  const [a] = await world.stable(1, () => ({ sessionTimeoutMs: 1_800_000 }))
  await world.commit(a!.memberId, 1, 1)
  for (let i = 0; i < 10; i++) {
    await world.clock.pass(20 * minute)
    expect(world.heartbeat(a!.memberId, 1)).toBe('NONE')
  }
  expect(world.committed()).toEqual(['orders-0: 1'])
  world.leave(a!.memberId)
  await world.clock.pass(59 * minute)
  expect(world.committed()).toEqual(['orders-0: 1'])
  await world.clock.pass(12 * minute)
  expect(world.groups.list().groups).toEqual([])
  await world.restart()
  expect(world.groups.list().groups).toEqual([])
})

test('an offset that an administrator sets after the last member left ages from then', async () => {
  const world = await World.start({ 'offsets.retention.minutes': 60 })
  const [a] = await world.stable(1)
  await world.commit(a!.memberId, 1, 1)
  world.leave(a!.memberId)
  await world.clock.pass(50 * minute)
  await simple(world, groupId, [commitOf('orders', 0)])
  await world.clock.pass(50 * minute)
  expect(world.committed()).toEqual(['orders-0: 0'])
})

test('offsets of no group expire a retention time after their commit, each by itself', async () => {
  const world = await World.start({ 'offsets.retention.minutes': 60 })
  await simple(world, 'tool', [commitOf('orders', 1)])
  await world.clock.pass(30 * minute)
  await simple(world, 'tool', [commitOf('refunds', 2)])
  await world.clock.pass(41 * minute)
  expect(world.committed('tool')).toEqual(['refunds-0: 2'])
  await world.clock.pass(30 * minute)
  expect(world.state('tool')).toBe('GROUP_ID_NOT_FOUND')
})

test('an offset that was committed with an expiry of its own goes by that', async () => {
  const world = await World.start()
  await simple(world, 'tool', [commitOf('orders', 1)], 5 * minute)
  await simple(world, 'tool', [commitOf('refunds', 2)])
  await world.clock.pass(11 * minute)
  expect(world.committed('tool')).toEqual(['refunds-0: 2'])
})

test('offsets of topics that a stable group reads no more expire, those that it reads do not', async () => {
  const world = await World.start({ 'offsets.retention.minutes': 10 })
  const [a] = await world.stable(1, () => ({ sessionTimeoutMs: 1_800_000, protocols: protocolsNamed('range') }))
  await world.commit(a!.memberId, 1, 1)
  await world.commit(a!.memberId, 1, 2, 0, 'refunds')
  await world.clock.pass(25 * minute)
  expect(world.committed()).toEqual(['orders-0: 1'])
})

test('a commit that renews an offset just as it expires is kept', async () => {
  const world = await World.start({ 'offsets.retention.minutes': 10 })
  await simple(world, 'tool', [commitOf('orders', 1)])
  world.groups.stop()
  await world.clock.pass(11 * minute)
  const renewed = simple(world, 'tool', [commitOf('orders', 2)])
  await Promise.all([renewed, world.groups.expireOffsets()])
  expect(world.committed('tool')).toEqual(['orders-0: 2'])
})

test('offsets that the disk will not forget are tried again at the next check', async () => {
  const world = await World.start({ 'offsets.retention.minutes': 5 })
  await simple(world, 'tool', [commitOf('orders', 1)])
  world.log.full = true
  await world.clock.pass(11 * minute)
  expect(world.committed('tool')).toEqual(['orders-0: 1'])
  world.log.full = false
  await world.clock.pass(10 * minute)
  expect(world.groups.list().groups).toEqual([])
})

const producer = { producerId: 7, producerEpoch: 0 }
/** Offset 9 of each partition, in a transaction that is open. */
const staged = (partitions: readonly number[]) => ({
  ...producer,
  groupId,
  generation: -1,
  memberId: '',
  instanceId: null,
  commits: partitions.map((partition) => {
    return { topic: 'orders', topicId: null, partition, offset: 9, leaderEpoch: 0, metadata: '' }
  }),
})
const committed = { ...producer, type: 'COMMIT', coordinatorEpoch: 0, transactionVersion: 2 } as const

test('a group in which a transaction is open is not swept away, so that what it commits is not lost', async () => {
  const world = await World.start()
  expect(await world.groups.transactions.stage(staged([0]))).toEqual(['NONE'])
  await world.groups.expireOffsets()
  await world.groups.transactions.settle(world.groups.partitionOf(groupId), committed)
  expect(world.committed()).toEqual(['orders-0: 9'])
  expect(await world.groups.delete(groupId)).toBe('NONE')
})

test('a group that is deleted while a transaction is open is gone with what that would have committed, now and after a restart', async () => {
  const world = await World.start()
  expect(await world.groups.transactions.stage(staged([0, 1]))).toEqual(['NONE', 'NONE'])
  expect(await world.groups.delete(groupId)).toBe('NONE')
  await world.groups.transactions.settle(world.groups.partitionOf(groupId), committed)
  expect(world.committed()).toEqual([])
  await world.restart()
  expect(world.committed()).toEqual([])
})
