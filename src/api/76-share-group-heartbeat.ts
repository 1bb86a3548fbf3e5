// ShareGroupHeartbeat: a member of a share group joins, shows that it lives, is told what to read, and leaves (KIP-932).

import { Refusal } from '../../protocol/errors.ts'
import { shareGroupHeartbeat } from '../../protocol/messages/76-share-group-heartbeat.ts'
import { serve } from './api.ts'
import { told } from './share-acknowledgements.ts'
import { refuseShareGroup } from './share-served.ts'

export const shareGroupHeartbeatApi = serve(shareGroupHeartbeat, [1, 1], async (request, context) => {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames: topics } = request
  const { groups, client, clientId } = context
  const answer =
    refuseShareGroup(groupId, context) ??
    (await groups.share.heartbeat({
      groupId,
      memberId,
      memberEpoch,
      rackId,
      topics,
      clientId: clientId ?? '',
      clientHost: `/${client.host}`,
    }))
  if (answer instanceof Refusal) return refused(answer)
  const { assignment } = answer
  return {
    errorCode: 0,
    memberId: answer.memberId,
    memberEpoch: answer.memberEpoch,
    heartbeatIntervalMs: answer.heartbeatIntervalMs,
    assignment: assignment && {
      topicPartitions: assignment.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })),
    },
  }
})

const refused = (refusal: Refusal) => ({
  errorCode: refusal.code,
  errorMessage: told(refusal),
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
})
