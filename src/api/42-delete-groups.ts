// DeleteGroups: forgets groups without members, with all that they have committed.

import { errors } from '../../protocol/errors.ts'
import { deleteGroups } from '../../protocol/messages/42-delete-groups.ts'
import { serve } from './api.ts'
import { groupElsewhere } from './coordinator.ts'

export const deleteGroupsApi = serve(deleteGroups, [0, 3], async (request, context) => {
  const ids = [...new Set(request.groupsNames)]
  const answers = await Promise.all(
    ids.map((groupId) => groupElsewhere(groupId, context) ?? context.groups.delete(groupId)),
  )
  return {
    throttleTimeMs: 0,
    results: ids.map((groupId, i) => {
      const error = answers[i]!
      const errorMessage = error === 'NONE' ? null : errors[error].sentence
      return { groupId, errorCode: errors[error].code, errorMessage }
    }),
  }
})
