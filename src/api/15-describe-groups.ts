// DescribeGroups: state and members of classic groups.

import { errors } from '../../protocol/errors.ts'
import { describeGroups } from '../../protocol/messages/15-describe-groups.ts'
import { type Context, serve } from './api.ts'
import { operationsIf } from './authorized-operations.ts'
import { elsewhere } from './coordinator.ts'

export const describeGroupsApi = serve(describeGroups, [0, 6], (request, context) => {
  const operationsOf = operationsIf(request.includeAuthorizedOperations, 'GROUP', context)
  return { groups: request.groups.map((groupId) => describe(groupId, operationsOf(groupId), context)) }
})

function describe(groupId: string, authorizedOperations: number, context: Context) {
  const { groups, version } = context
  const found = elsewhere('group', groupId, context) ?? groups.classic.describe(groupId)
  if (typeof found !== 'string') {
    const { state, protocolType, protocol, members } = found
    const described = { groupState: state, protocolType, protocolData: protocol, members, authorizedOperations }
    return { groupId, errorCode: 0, ...described }
  }
  const nothing = { groupId, groupState: '', protocolType: '', protocolData: '', members: [] }
  if (found !== 'GROUP_ID_NOT_FOUND') return { ...nothing, errorCode: errors[found].code }
  // Before v6 (KIP-1043) a group that is not was described as a dead one.
  const dead = { ...nothing, groupState: 'Dead' }
  if (version < 6) return { ...dead, errorCode: 0, authorizedOperations }
  return {
    ...dead,
    errorCode: errors[found].code,
    errorMessage: `Group ${groupId} ${groups.isKnown(groupId) ? 'is not a classic group' : 'not found'}.`,
  }
}
