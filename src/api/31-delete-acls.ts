// DeleteAcls: takes back what was allowed or forbidden, by filter, and tells what that was. Without an authorizer all are refused.

import { Refusal } from '../../protocol/errors.ts'
import { deleteAcls } from '../../protocol/messages/31-delete-acls.ts'
import type { Acl } from '../auth/acl.ts'
import type { AclFilter } from '../auth/acl-filter.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { checkAclCodes, entryOf, filterOf, noAuthorizer, resourceOf } from './acl.ts'
import { serve } from './api.ts'

/** To delete by a word that is not known might delete what nobody meant. */
function checkFilter({ resourceType, patternType, operation, permission }: AclFilter): Refusal | undefined {
  const unknown = (...words: readonly string[]) => words.includes('UNKNOWN')
  if (unknown(resourceType, patternType)) return new Refusal('INVALID_REQUEST', 'Unknown patternFilter.')
  return unknown(operation, permission) ? new Refusal('INVALID_REQUEST', 'Unknown entryFilter.') : undefined
}

const told = (outcome: readonly Acl[] | Refusal) => {
  if (outcome instanceof Refusal) return { errorCode: outcome.code, errorMessage: outcome.message, matchingAcls: [] }
  const matchingAcls = outcome.map((acl) => ({ errorCode: 0, errorMessage: null, ...resourceOf(acl), ...entryOf(acl) }))
  return { errorCode: 0, errorMessage: null, matchingAcls }
}

export const deleteAclsApi = serve(deleteAcls, [1, 3], async ({ filters }, { broker }) => {
  for (const { resourceTypeFilter, patternTypeFilter, operation, permissionType } of filters) {
    checkAclCodes(resourceTypeFilter, patternTypeFilter, operation, permissionType)
  }
  if (broker.authorizer === undefined)
    return { filterResults: filters.map(() => ({ ...noAuthorizer('.'), matchingAcls: [] })) }
  // All of them look at what was there before: what two of them mean is told twice.
  const outcomes = filters.map((asked) => {
    const filter = filterOf(asked)
    return checkFilter(filter) ?? broker.acls.matching(filter)
  })
  let failure: Refusal | undefined
  try {
    await broker.acls.remove(outcomes.flatMap((outcome) => (outcome instanceof Refusal ? [] : outcome)))
  } catch (cause) {
    failure = storageRefusal(cause)
  }
  return { filterResults: outcomes.map((outcome) => told(outcome instanceof Refusal ? outcome : (failure ?? outcome))) }
})
