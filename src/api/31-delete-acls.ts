// DeleteAcls: takes back what was allowed or forbidden. As a real broker without an authorizer: refused, each.

import { deleteAcls } from '../../protocol/messages/31-delete-acls.ts'
import { checkAclCodes, noAuthorizer } from './acl.ts'
import { serve } from './api.ts'

export const deleteAclsApi = serve(deleteAcls, [1, 3], ({ filters }) => {
  for (const { resourceTypeFilter, patternTypeFilter, operation, permissionType } of filters) {
    checkAclCodes(resourceTypeFilter, patternTypeFilter, operation, permissionType)
  }
  return { filterResults: filters.map(() => ({ ...noAuthorizer('.'), matchingAcls: [] })) }
})
