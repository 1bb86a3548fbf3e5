// Whether the node that is asked remembers what a request is about: groups and transactional ids lie where their
// partition of the coordinators' topic has its leader.

import type { CoordinatorKind } from '../broker/placement.ts'
import type { Context } from './api.ts'

/** NOT_COORDINATOR where another node, or none, answers for the key. */
export function elsewhere(
  kind: CoordinatorKind,
  key: string,
  { broker, node }: Context,
): 'NOT_COORDINATOR' | undefined {
  return broker.coordinates(kind, key, node) ? undefined : 'NOT_COORDINATOR'
}

/** The same for a member's group; one that has no name is refused for that wherever it asks. */
export const groupElsewhere = (groupId: string, context: Context): 'NOT_COORDINATOR' | undefined =>
  groupId === '' ? undefined : elsewhere('group', groupId, context)

/** The same for a transactional id. */
export const transactionElsewhere = (id: string, context: Context): 'NOT_COORDINATOR' | undefined =>
  id === '' ? undefined : elsewhere('transaction', id, context)
