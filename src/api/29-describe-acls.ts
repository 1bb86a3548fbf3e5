// DescribeAcls: who may do what. Without an authorizer: that is not looked after here.

import { describeAcls } from '../../protocol/messages/29-describe-acls.ts'
import type { Acl } from '../auth/acl.ts'
import { checkAclCodes, entryOf, filterOf, noAuthorizer, resourceOf } from './acl.ts'
import { serve } from './api.ts'

/** By resource: a pattern is told once, with all that is said of it. */
function resourcesOf(acls: readonly Acl[]) {
  const resources = new Map<string, Acl[]>()
  for (const acl of acls) {
    const key = `${acl.resourceType} ${acl.patternType} ${acl.resourceName}`
    resources.set(key, [...(resources.get(key) ?? []), acl])
  }
  return [...resources.values()].map((about) => ({ ...resourceOf(about[0]!), acls: about.map(entryOf) }))
}

export const describeAclsApi = serve(describeAcls, [1, 3], (filter, { broker }) => {
  checkAclCodes(filter.resourceTypeFilter, filter.patternTypeFilter, filter.operation, filter.permissionType)
  if (broker.authorizer === undefined) return { ...noAuthorizer(' on the broker'), resources: [] }
  return { errorCode: 0, errorMessage: '', resources: resourcesOf(broker.acls.matching(filterOf(filter))) }
})
