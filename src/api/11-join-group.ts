// JoinGroup: enters a classic group, or its next generation. Answered when everybody has joined.

import { errors } from '../../protocol/errors.ts'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import { serve } from './api.ts'

export const joinGroupApi = serve(joinGroup, [0, 9], async (request, { groups, version, client, clientId }) => {
  const answer = await groups.classic.join({
    groupId: request.groupId,
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    clientId: clientId ?? '',
    clientHost: `/${client.host}`, // As Java prints an address, and tools show it.
    sessionTimeoutMs: request.sessionTimeoutMs,
    // v0 has no timeout for rebalances.
    rebalanceTimeoutMs: version === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    protocolType: request.protocolType,
    protocols: request.protocols,
    idFirst: version >= 4,
    canSkipAssignment: version >= 9,
  })
  return {
    errorCode: errors[answer.error].code,
    generationId: answer.generation,
    protocolType: answer.protocolType,
    protocolName: version >= 7 ? answer.protocol : (answer.protocol ?? ''),
    leader: answer.leader,
    skipAssignment: answer.skipAssignment,
    memberId: answer.memberId,
    members: answer.members,
  }
})
