// ConsumerGroupDescribe, from the wire and back.

import { expect, test } from 'vitest'
import { consumerGroupDescribe } from '../../protocol/messages/69-consumer-group-describe.ts'
import { consumerGroupDescribeApi } from '../../src/api/69-consumer-group-describe.ts'
import { Consumer } from '../group/consumers.ts'
import { groupId } from '../group/world.ts'
import { Desk, orders, versionsOf } from './asked.ts'

test.each(versionsOf(consumerGroupDescribeApi))(
  'v%i: a group, its members, what they have and shall have',
  async (version) => {
    const desk = await Desk.open()
    desk.world.topics.put('orders', 2, orders.id)
    const a = new Consumer(desk.world, 'a', { topics: ['orders'], instanceId: 'i' })
    await a.beat()
    const request = { groupIds: [groupId, 'nobody', ''], includeAuthorizedOperations: true }
    const { groups } = await desk.ask(consumerGroupDescribeApi, consumerGroupDescribe, version, request)
    const has = { topicPartitions: [{ topicId: orders.id, topicName: 'orders', partitions: [0, 1] }] }
    expect(groups).toMatchObject([
      {
        errorCode: 0,
        errorMessage: null,
        groupState: 'Stable',
        groupEpoch: 2,
        assignmentEpoch: 2,
        assignorName: 'uniform',
        members: [
          {
            memberId: 'a',
            instanceId: 'i',
            rackId: null,
            memberEpoch: 2,
            clientId: 'client',
            clientHost: '/127.0.0.1',
            subscribedTopicNames: ['orders'],
            subscribedTopicRegex: '',
            assignment: has,
            targetAssignment: has,
            memberType: version >= 1 ? 1 : -1,
          },
        ],
      },
      { errorCode: 69, errorMessage: 'Group nobody not found.', groupState: '', members: [] },
      { errorCode: 24, errorMessage: null },
    ])
  },
)

test('a classic group is none of these', async () => {
  const desk = await Desk.open()
  await desk.world.stable(1)
  const { groups } = await desk.ask(consumerGroupDescribeApi, consumerGroupDescribe, 1, { groupIds: [groupId] })
  expect(groups).toMatchObject([{ errorCode: 69, errorMessage: 'Group readers is not a consumer group.' }])
})
