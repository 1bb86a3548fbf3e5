// ConsumerGroupHeartbeat, from the wire and back. What is malformed is refused as Kafka 4.4.0 refuses it.

import { expect, test } from 'vitest'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupHeartbeatApi } from '../../src/api/68-consumer-group-heartbeat.ts'
import { groupId } from '../group/world.ts'
import { Desk, noSuchId, orders, versionsOf } from './asked.ts'

const joins = { groupId, memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 1000, topicPartitions: [] }
const good = { ...joins, subscribedTopicNames: ['orders'] }

test.each(versionsOf(consumerGroupHeartbeatApi))('v%i: a member joins, beats and leaves', async (version) => {
  const desk = await Desk.open()
  const topicId = desk.world.topics.put('orders', 2)
  const beat = (request: object) => desk.ask(consumerGroupHeartbeatApi, consumerGroupHeartbeat, version, request)
  expect(await beat(good)).toMatchObject({
    errorCode: 0,
    errorMessage: null,
    memberId: 'm',
    memberEpoch: 2,
    heartbeatIntervalMs: 5000,
    assignment: { topicPartitions: [{ topicId, partitions: [0, 1] }] },
  })
  expect(await beat({ groupId, memberId: 'm', memberEpoch: 2 })).toMatchObject({ memberEpoch: 2, assignment: null })
  const left = { errorCode: 0, memberId: 'm', memberEpoch: -1, heartbeatIntervalMs: 0, assignment: null }
  expect(await beat({ groupId, memberId: 'm', memberEpoch: -1 })).toMatchObject(left)
  expect(await beat({ groupId, memberId: 'm', memberEpoch: 2 })).toMatchObject({ errorCode: 25, memberId: null })
})

test('v0: a member without a name is given one', async () => {
  const desk = await Desk.open()
  const request = { ...good, memberId: '' }
  const answer = await desk.ask(consumerGroupHeartbeatApi, consumerGroupHeartbeat, 0, request)
  expect(answer).toMatchObject({ errorCode: 0, memberId: expect.stringMatching(/^[\w-]{22}$/) })
})

const invalid = 42
test.each([
  [{ ...good, groupId: ' ' }, invalid, "GroupId can't be empty."],
  [{ ...good, memberId: '' }, invalid, "MemberId can't be empty."],
  [{ ...good, instanceId: '' }, invalid, "InstanceId can't be empty."],
  [{ ...good, rackId: '' }, invalid, "RackId can't be empty."],
  [{ ...good, rebalanceTimeoutMs: -1 }, invalid, 'RebalanceTimeoutMs must be provided in first request.'],
  [{ ...good, topicPartitions: null }, invalid, 'TopicPartitions must be empty when (re-)joining.'],
  [
    { ...good, topicPartitions: [{ topicId: orders.id, partitions: [0] }] },
    invalid,
    'TopicPartitions must be empty when (re-)joining.',
  ],
  [joins, invalid, 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'],
  [{ ...good, memberEpoch: -2 }, invalid, "InstanceId can't be null."],
  [{ ...good, memberEpoch: -3 }, invalid, 'MemberEpoch is invalid.'],
  [
    { ...good, serverAssignor: 'sticky' },
    112,
    'ServerAssignor sticky is not supported. Supported assignors: uniform, range.',
  ],
  [{ ...good, memberEpoch: -1 }, 69, 'Group readers not found.'],
  [{ ...good, memberEpoch: 5 }, 69, 'Consumer group readers not found.'],
  [
    { ...joins, subscribedTopicRegex: '[' },
    128,
    'SubscribedTopicRegex `[` is not a valid regular expression: missing closing ].',
  ],
])('%j is refused with %i: %s', async (request, errorCode, errorMessage) => {
  const desk = await Desk.open()
  const answer = await desk.ask(consumerGroupHeartbeatApi, consumerGroupHeartbeat, 1, request)
  const nothing = { memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null }
  expect(answer).toMatchObject({ errorCode, errorMessage, ...nothing })
  expect(desk.world.groups.list().groups).toEqual([])
})

test('a member that says it has what nobody knows is none the richer', async () => {
  const desk = await Desk.open()
  const beat = (request: object) => desk.ask(consumerGroupHeartbeatApi, consumerGroupHeartbeat, 1, request)
  await beat(good)
  const owns = { groupId, memberId: 'm', memberEpoch: 2, topicPartitions: [{ topicId: noSuchId, partitions: [-1, 7] }] }
  expect(await beat(owns)).toMatchObject({ errorCode: 0, assignment: null })
})
