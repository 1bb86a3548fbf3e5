// ConsumerGroupDescribe (KIP-848): epochs, members, what they have and what they shall have.
//   v1: whether a member speaks the classic protocol

import { Refusal } from '../../protocol/errors.ts'
import { consumerGroupDescribe } from '../../protocol/messages/69-consumer-group-describe.ts'
import type { DescribedConsumers } from '../group/consumer-requests.ts'
import type { TopicPartitions } from '../group/partitions.ts'
import { isServed } from './68-consumer-group-heartbeat.ts'
import { type Context, serve } from './api.ts'
import { notAsked, operationsIf } from './authorized-operations.ts'
import { groupElsewhere } from './coordinator.ts'

export const consumerGroupDescribeApi = serve(consumerGroupDescribe, [0, 1], (request, context) => {
  const operationsOf = operationsIf(request.includeAuthorizedOperations, 'GROUP', context)
  const groups = request.groupIds.map((groupId) => describe(groupId, operationsOf(groupId), context))
  return { throttleTimeMs: 0, groups }
})

function describe(groupId: string, authorizedOperations: number, context: Context) {
  const wrong = isServed(context) ? groupElsewhere(groupId, context) : 'UNSUPPORTED_VERSION'
  const found = wrong === undefined ? context.groups.consumer.describe(groupId) : new Refusal(wrong)
  if (found instanceof Refusal) {
    const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
    const errorMessage = found.error === 'GROUP_ID_NOT_FOUND' ? found.message : null
    return { errorCode: found.code, errorMessage, groupId, ...nothing, authorizedOperations: notAsked }
  }
  const { members, ...group } = found
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    ...group,
    members: members.map((each) => memberOf(each, context)),
    authorizedOperations,
  }
}

function memberOf({ member, assignment, target }: DescribedConsumers['members'][number], context: Context) {
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.topics],
    subscribedTopicRegex: member.regex ?? '', // As the real broker shows a member without one.
    assignment: { topicPartitions: named(assignment, context) },
    targetAssignment: { topicPartitions: named(target, context) },
    memberType: member.classic === null ? 1 : 0,
  }
}

/** Topics that are gone have no name to be shown by. */
const named = (all: readonly TopicPartitions[], { broker }: Context) =>
  all.flatMap(({ topicId, partitions }) => {
    const topic = broker.topicById(topicId)
    return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions: [...partitions] }]
  })
