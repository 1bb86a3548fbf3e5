// SyncGroup: the leader hands in the assignments, everybody gets its own. Answered when they are stored.

import { errors } from '../../protocol/errors.ts'
import { syncGroup } from '../../protocol/messages/14-sync-group.ts'
import { serve } from './api.ts'

export const syncGroupApi = serve(syncGroup, [0, 5], async (request, { groups }) => {
  const answer = await groups.sync({
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
