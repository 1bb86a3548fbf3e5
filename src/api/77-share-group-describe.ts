// ShareGroupDescribe: state and members of share groups, and what each of them reads.

import { Refusal } from '../../protocol/errors.ts'
import { shareGroupDescribe } from '../../protocol/messages/77-share-group-describe.ts'
import type { TopicPartitions } from '../group/partitions.ts'
import { shareAssignor } from '../group/share-requests.ts'
import { type Context, serve } from './api.ts'
import { operationsIf } from './authorized-operations.ts'
import { told } from './share-acknowledgements.ts'
import { refuseShareGroup } from './share-served.ts'

export const shareGroupDescribeApi = serve(shareGroupDescribe, [1, 1], (request, context) => {
  const operationsOf = operationsIf(request.includeAuthorizedOperations, 'GROUP', context)
  return { groups: request.groupIds.map((groupId) => describe(groupId, operationsOf(groupId), context)) }
})

function describe(groupId: string, authorizedOperations: number, context: Context) {
  const found = refuseShareGroup(groupId, context) ?? context.groups.share.describe(groupId)
  if (found instanceof Refusal) {
    const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
    return { groupId, errorCode: found.code, errorMessage: told(found), ...nothing }
  }
  const { groupState, groupEpoch, assignmentEpoch } = found
  const members = found.members.map(({ member, assignment }) => ({
    memberId: member.id,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.topics],
    assignment: { topicPartitions: named(assignment, context) },
  }))
  const epochs = { groupEpoch, assignmentEpoch, assignorName: shareAssignor }
  return { groupId, errorCode: 0, groupState, ...epochs, members, authorizedOperations }
}

/** Topics that are gone have no name that anybody could be told. */
function named(assignment: readonly TopicPartitions[], { broker }: Context) {
  return assignment.flatMap(({ topicId, partitions }) => {
    const topic = broker.topicById(topicId)
    return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions: [...partitions] }]
  })
}
