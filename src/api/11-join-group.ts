// JoinGroup: enters a classic group, or its next generation. Answered when everybody has joined.

import { errors } from '../../protocol/errors.ts'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import type { Request } from '../../protocol/schema.ts'
import { type JoinAnswer, joinRefused } from '../group/member.ts'
import { type Context, serve } from './api.ts'
import { groupElsewhere } from './coordinator.ts'

export const joinGroupApi = serve(joinGroup, [0, 9], async (request, context) => {
  return joinAnswer(await join(request, context), context.version)
})

export const joinAnswer = (answer: JoinAnswer, version: number) => ({
  errorCode: errors[answer.error].code,
  generationId: answer.generation,
  protocolType: answer.protocolType,
  protocolName: version >= 7 ? answer.protocol : (answer.protocol ?? ''),
  leader: answer.leader,
  skipAssignment: answer.skipAssignment,
  memberId: answer.memberId,
  members: answer.members,
})

async function join(request: Request<typeof joinGroup>, context: Context): Promise<JoinAnswer> {
  const { groups, version, client, clientId } = context
  const wrong = groupElsewhere(request.groupId, context)
  if (wrong !== undefined) return joinRefused(wrong, '')
  return groups.classic.join({
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
}
