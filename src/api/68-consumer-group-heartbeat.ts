// ConsumerGroupHeartbeat (KIP-848): a consumer joins, lives, reconciles and leaves by this one request.
//   v1: the broker evaluates regular expressions; members choose their ids (KIP-1082)

import { Refusal } from '../../protocol/errors.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { Request } from '../../protocol/schema.ts'
import { partitionsOf, topicPartitionsOf } from '../group/partitions.ts'
import { type Context, serve } from './api.ts'
import { elsewhere } from './coordinator.ts'

type Asked = Request<typeof consumerGroupHeartbeat>

export const consumerGroupHeartbeatApi = serve(consumerGroupHeartbeat, [0, 1], async (request, context) => {
  const answer = await beat(request, context)
  if (answer instanceof Refusal) {
    const { code: errorCode, message } = answer
    // Where the error says everything, as that the coordinator is elsewhere, the real broker adds no sentence.
    const errorMessage = answer.message === new Refusal(answer.error).message ? null : message
    return { errorCode, errorMessage, memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null }
  }
  const { memberId, memberEpoch, heartbeatIntervalMs, assignment } = answer
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    memberId,
    memberEpoch,
    heartbeatIntervalMs,
    assignment: assignment && { topicPartitions: topicPartitionsOf(assignment) },
  }
})

function beat(request: Asked, context: Context) {
  if (!isServed(context)) return new Refusal('UNSUPPORTED_VERSION')
  const malformed = refuse(request, context.version)
  if (malformed !== undefined) return new Refusal('INVALID_REQUEST', malformed)
  const unserved = context.groups.consumer.refuseAssignor(request.serverAssignor)
  if (unserved !== undefined) return unserved
  const wrong = elsewhere('group', request.groupId, context)
  if (wrong !== undefined) return new Refusal(wrong)
  const { rebalanceTimeoutMs, topicPartitions } = request
  const { rights } = context
  return context.groups.consumer.heartbeat({
    groupId: request.groupId,
    memberId: request.memberId === '' ? context.groups.consumer.newMemberId() : request.memberId,
    memberEpoch: request.memberEpoch,
    instanceId: request.instanceId,
    rackId: request.rackId,
    clientId: context.clientId ?? '',
    clientHost: `/${context.client.host}`,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? null : rebalanceTimeoutMs,
    topics: request.subscribedTopicNames,
    regex: request.subscribedTopicRegex,
    assignor: request.serverAssignor,
    owned: topicPartitions === null ? null : partitionsOf(topicPartitions),
    ...(rights === undefined ? {} : { isSeen: (name: string) => rights.subscribed('DESCRIBE', name) }),
  })
}

/** Consumer groups may be switched off by the broker's options, or for the whole cluster. */
export const isServed = ({ groups, broker }: Context): boolean =>
  groups.consumer.isServed && broker.features.level('group.version') > 0

/** What is wrong with the request itself, in the real broker's words. */
function refuse(request: Asked, version: number): string | undefined {
  const { groupId, memberId, memberEpoch, instanceId, rackId } = request
  if (groupId.trim() === '') return "GroupId can't be empty."
  if (memberId.trim() === '' && (version > 0 || memberEpoch !== 0)) return "MemberId can't be empty."
  if (instanceId !== null && instanceId.trim() === '') return "InstanceId can't be empty."
  if (rackId !== null && rackId.trim() === '') return "RackId can't be empty."
  if (memberEpoch === 0) return refuseJoin(request)
  if (memberEpoch === -2 && instanceId === null) return "InstanceId can't be null."
  return memberEpoch < -2 ? 'MemberEpoch is invalid.' : undefined
}

function refuseJoin(request: Asked): string | undefined {
  const { rebalanceTimeoutMs, topicPartitions, subscribedTopicNames, subscribedTopicRegex } = request
  if (rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.'
  if (topicPartitions === null || topicPartitions.length > 0) return 'TopicPartitions must be empty when (re-)joining.'
  if (subscribedTopicNames === null && subscribedTopicRegex === null)
    return 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
  return undefined
}
