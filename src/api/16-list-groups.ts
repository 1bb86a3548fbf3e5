// ListGroups: the groups of this broker, filtered by state (v4) and type (v5). No filter: all of them.

import { errors } from '../../protocol/errors.ts'
import { listGroups } from '../../protocol/messages/16-list-groups.ts'
import { serve } from './api.ts'

export const listGroupsApi = serve(listGroups, [0, 5], (request, context) => {
  // Each node tells of those it coordinates; tools ask all of them.
  const isHere = (groupId: string) => context.broker.coordinates('group', groupId, context.node)
  const { loading, groups } = context.groups.list()
  if (loading) return { errorCode: errors.COORDINATOR_LOAD_IN_PROGRESS.code, groups: [] }
  const hasState = oneOf(request.statesFilter)
  const hasType = oneOf(request.typesFilter)
  return {
    errorCode: 0,
    groups: groups
      .filter(({ groupId, state, type }) => hasState(state) && hasType(type) && isHere(groupId))
      .map(({ groupId, protocolType, state, type }) => ({ groupId, protocolType, groupState: state, groupType: type })),
  }
})

/** Case does not count, and names that nobody knows match nothing (as in the real broker). */
function oneOf(filter: readonly string[]): (name: string) => boolean {
  const names = new Set(filter.map((name) => name.toLowerCase()))
  return (name) => names.size === 0 || names.has(name.toLowerCase())
}
