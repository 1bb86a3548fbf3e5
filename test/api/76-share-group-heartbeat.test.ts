// ShareGroupHeartbeat on the wire, with the answers of Kafka 4.4.0.

import { expect, test } from 'vitest'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { createPartitions } from '../../protocol/messages/37-create-partitions.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { joined, Sharer } from '../share/member.ts'
import { errorOf, Line } from './line.ts'

const partitionsOf = ({ assignment }: Awaited<ReturnType<Sharer['beat']>>): number[][] | undefined =>
  assignment?.topicPartitions.map(({ partitions }) => partitions)

test('a member is given an epoch and its partitions when it joins, and again only when they change', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 4 }])
  const a = new Sharer(line.client, 'a')
  const first = await a.beat(0, ['jobs'])
  expect([first.memberId, first.memberEpoch, first.heartbeatIntervalMs]).toEqual(['a', 2, 5000])
  expect(partitionsOf(first)).toEqual([[0, 1, 2, 3]])
  expect(partitionsOf(await a.beat(2, null))).toBeUndefined()
  expect(partitionsOf(await a.beat(2, ['jobs']))).toEqual([[0, 1, 2, 3]])
  const b = new Sharer(line.client, 'b')
  expect(partitionsOf(await b.beat(0, ['jobs']))![0]).toHaveLength(2)
  const second = await a.beat(2, null)
  expect(second.memberEpoch).toBe(3)
  expect(partitionsOf(second)![0]).toHaveLength(2)
})

test('a member whose answer was lost beats from the epoch before, and is told again', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 2 }])
  const a = new Sharer(line.client, 'a')
  await a.beat(0, ['jobs'])
  await new Sharer(line.client, 'b').beat(0, ['jobs'])
  const lost = await a.beat(2, null)
  const again = await a.beat(2, null)
  expect(again).toEqual(lost)
  expect(errorOf(await a.beat(1, null))).toBe('FENCED_MEMBER_EPOCH')
})

test('what is wrong with a heartbeat is said as Kafka says it', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const of = (memberId: string, groupId = 'workers') => new Sharer(line.client, memberId, groupId)
  const said = async (...asked: [Sharer, number, string[] | null, string?]) => {
    const [sharer, ...rest] = asked
    const answer = await sharer.beat(...rest)
    return `${errorOf(answer)}: ${answer.errorMessage}`
  }
  expect(await said(of('a', ''), 0, ['jobs'])).toBe("INVALID_REQUEST: GroupId can't be empty.")
  expect(await said(of(''), 0, ['jobs'])).toBe('INVALID_REQUEST: null')
  expect(await said(of('a'.repeat(37)), 1, null)).toBe('INVALID_REQUEST: null')
  expect(await said(of('a'), 0, null)).toBe('INVALID_REQUEST: SubscribedTopicNames must be set in first request.')
  expect(await said(of('a'), 0, [])).toBe('INVALID_REQUEST: SubscribedTopicNames must be set in first request.')
  expect(await said(of('a'), 0, ['jobs'], '')).toBe("INVALID_REQUEST: RackId can't be empty.")
  expect(await said(of('a'), -2, null)).toBe('INVALID_REQUEST: MemberEpoch is invalid.')
  expect(await said(of('a'), 5, null)).toBe('GROUP_ID_NOT_FOUND: Share group workers not found.')
  expect(await said(of('a'), -1, null)).toBe('GROUP_ID_NOT_FOUND: Group workers not found.')
  await of('a').beat(0, ['jobs'])
  expect(await said(of('b'), -1, null)).toBe('UNKNOWN_MEMBER_ID: Member b is not a member of group workers.')
  expect(await said(of('b'), 2, null)).toBe('UNKNOWN_MEMBER_ID: Member b is not a member of group workers.')
  expect(await said(of('a'), 99, null)).toBe(
    'FENCED_MEMBER_EPOCH: The share group member has a greater member epoch (99) than the one known by the group ' +
      'coordinator (2). The member must abandon all its partitions and rejoin.',
  )
})

test('a group is of one type: consumers and sharers are kept apart', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const consumer = {
    memberId: 'c',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 5000,
    subscribedTopicNames: ['jobs'],
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: [],
  }
  await line.ask(consumerGroupHeartbeat, 1, { groupId: 'readers', ...consumer })
  const refused = await new Sharer(line.client, 'a', 'readers').beat(0, ['jobs'])
  expect(`${errorOf(refused)}: ${refused.errorMessage}`).toBe('GROUP_ID_NOT_FOUND: Group readers is not a share group.')
  await new Sharer(line.client, 'a').beat(0, ['jobs'])
  const other = await line.ask(consumerGroupHeartbeat, 1, { groupId: 'workers', ...consumer })
  expect(errorOf(other)).toBe('GROUP_ID_NOT_FOUND')
})

test('a group that is full takes nobody more', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }], { 'group.share.max.size': 1 })
  await new Sharer(line.client, 'a').beat(0, ['jobs'])
  expect(errorOf(await new Sharer(line.client, 'b').beat(0, ['jobs']))).toBe('GROUP_MAX_SIZE_REACHED')
})

test('topics that come, grow and go are seen with the next heartbeat', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const a = new Sharer(line.client, 'a')
  expect(partitionsOf(await a.beat(0, ['jobs', 'more']))).toEqual([[0]])
  await line.broker.createTopics([{ name: 'more', partitions: 2 }])
  const grown = await a.beat(2, null)
  expect(grown.assignment!.topicPartitions).toHaveLength(2)
  await line.ask(createPartitions, 3, {
    topics: [{ name: 'jobs', count: 3, assignments: null }],
    timeoutMs: 1000,
    validateOnly: false,
  })
  const jobs = await line.id('jobs')
  const wider = await a.beat(grown.memberEpoch, null)
  expect(wider.assignment!.topicPartitions.find(({ topicId }) => topicId === jobs)!.partitions).toEqual([0, 1, 2])
  await line.ask(deleteTopics, 6, { topics: [{ name: 'jobs', topicId: 'A'.repeat(22) }], timeoutMs: 1000 })
  const narrower = await a.beat(wider.memberEpoch, null)
  expect(narrower.assignment!.topicPartitions.map(({ partitions }) => partitions)).toEqual([[0, 1]])
})

test('a topic that is made again is another one: the group begins anew there', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const a = await joined(line, 'jobs')
  const before = await line.id('jobs')
  await line.append('jobs', 0, ['x'])
  expect(await a.take([[before, 0]])).toBe('0: 0-0x1')
  await line.ask(deleteTopics, 6, { topics: [{ name: 'jobs', topicId: 'A'.repeat(22) }], timeoutMs: 1000 })
  expect(await a.take()).toBe('0: UNKNOWN_TOPIC_ID')
  await line.broker.createTopics([{ name: 'jobs', partitions: 1 }])
  await line.append('jobs', 0, ['y', 'z'])
  await a.beat(0, ['jobs'])
  a.epoch = 0
  expect(await a.take([[await line.id('jobs'), 0]])).toBe('0: 0-1x1')
})
