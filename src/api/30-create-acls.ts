// CreateAcls: allows or forbids. As a real broker without an authorizer: refused, each.

import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import { checkAclCodes, noAuthorizer } from './acl.ts'
import { serve } from './api.ts'

export const createAclsApi = serve(createAcls, [1, 3], ({ creations }) => {
  for (const { resourceType, resourcePatternType, operation, permissionType } of creations) {
    checkAclCodes(resourceType, resourcePatternType, operation, permissionType)
  }
  return { results: creations.map(() => noAuthorizer('.')) }
})
