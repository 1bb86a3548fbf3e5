// Heartbeat: a member of a classic group lives, and asks whether the group still stands.

import { errors } from '../../protocol/errors.ts'
import { heartbeat } from '../../protocol/messages/12-heartbeat.ts'
import { serve } from './api.ts'
import { groupElsewhere } from './coordinator.ts'

export const heartbeatApi = serve(heartbeat, [0, 4], (request, context) => {
  const wrong = groupElsewhere(request.groupId, context)
  const error =
    wrong ??
    context.groups.classic.heartbeat({
      groupId: request.groupId,
      generation: request.generationId,
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
    })
  return { errorCode: errors[error].code }
})
