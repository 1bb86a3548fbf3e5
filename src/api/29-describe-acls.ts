// DescribeAcls: who may do what. As a real broker without an authorizer: that is not looked after here.

import { describeAcls } from '../../protocol/messages/29-describe-acls.ts'
import { checkAclCodes, noAuthorizer } from './acl.ts'
import { serve } from './api.ts'

export const describeAclsApi = serve(describeAcls, [1, 3], (filter) => {
  checkAclCodes(filter.resourceTypeFilter, filter.patternTypeFilter, filter.operation, filter.permissionType)
  return { ...noAuthorizer(' on the broker'), resources: [] }
})
