// LeaveGroup: a member goes, or an administrator sends static members away. One until v2, several from v3 on (KIP-345).

import { errors } from '../../protocol/errors.ts'
import { leaveGroup } from '../../protocol/messages/13-leave-group.ts'
import { serve } from './api.ts'
import { groupElsewhere } from './coordinator.ts'

export const leaveGroupApi = serve(leaveGroup, [0, 5], async (request, context) => {
  const { groups, version } = context
  const wrong = groupElsewhere(request.groupId, context)
  if (wrong !== undefined) return { errorCode: errors[wrong].code }
  const leavers = version >= 3 ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
  const answers = await groups.classic.leave(
    request.groupId,
    leavers.map(({ memberId, groupInstanceId }) => ({ memberId, instanceId: groupInstanceId })),
  )
  if (typeof answers === 'string') return { errorCode: errors[answers].code }
  if (version < 3) return { errorCode: errors[answers[0]!].code }
  return {
    errorCode: 0,
    members: leavers.map(({ memberId, groupInstanceId }, i) => ({
      memberId,
      groupInstanceId,
      errorCode: errors[answers[i]!].code,
    })),
  }
})
