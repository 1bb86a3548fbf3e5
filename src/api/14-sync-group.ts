// SyncGroup: the leader hands in the assignments, everybody gets its own. Answered when they are stored.

import { errors } from '../../protocol/errors.ts'
import { syncGroup } from '../../protocol/messages/14-sync-group.ts'
import type { Request } from '../../protocol/schema.ts'
import { noBytes } from '../group/member.ts'
import { serve } from './api.ts'
import { groupElsewhere } from './coordinator.ts'

/** KIP-559: from v5 on the member must say what it believes was agreed. */
export const isSilent = ({ protocolType, protocolName }: Request<typeof syncGroup>, version: number): boolean =>
  version >= 5 && (protocolType === null || protocolName === null)

export const syncGroupApi = serve(syncGroup, [0, 5], async (request, context) => {
  const { groups, version } = context
  if (isSilent(request, version)) return { errorCode: errors.INCONSISTENT_GROUP_PROTOCOL.code, assignment: noBytes }
  const wrong = groupElsewhere(request.groupId, context)
  if (wrong !== undefined) return { errorCode: errors[wrong].code, assignment: noBytes }
  const answer = await groups.classic.sync({
    groupId: request.groupId,
    generation: request.generationId,
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    protocolType: request.protocolType,
    protocol: request.protocolName,
    assignments: request.assignments,
  })
  return {
    errorCode: errors[answer.error].code,
    protocolType: answer.protocolType,
    protocolName: answer.protocol,
    assignment: answer.assignment,
  }
})
