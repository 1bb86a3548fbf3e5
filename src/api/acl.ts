// What the three ACL APIs have in common: ACLs as the protocol writes them, and what is said where nothing goes by them.

import { errors, ProtocolViolation } from '../../protocol/errors.ts'
import { type Acl, operations, patternTypes, permissions, resourceTypes } from '../auth/acl.ts'
import type { AclFilter } from '../auth/acl-filter.ts'

/** 0 is UNKNOWN in each of these codes; whoever sends it is cut off by a real broker, authorizer or not. */
export function checkAclCodes(...codes: readonly number[]): void {
  if (codes.includes(0)) throw new ProtocolViolation('an ACL with an element of kind UNKNOWN')
}

/** A real broker says it in its own words and its controller in others. */
export const noAuthorizer = (where = '') => ({
  errorCode: errors.SECURITY_DISABLED.code,
  errorMessage: `No Authorizer is configured${where}`,
})

/** Codes that are not known yet are UNKNOWN. */
export const wordOf = <W extends string>(table: Readonly<Record<W, number>>, code: number): W =>
  (Object.keys(table) as W[]).find((word) => table[word] === code) ?? ('UNKNOWN' as W)

type AskedFilter = {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

export const filterOf = (asked: AskedFilter): AclFilter => ({
  resourceType: wordOf(resourceTypes, asked.resourceTypeFilter),
  resourceName: asked.resourceNameFilter,
  patternType: wordOf(patternTypes, asked.patternTypeFilter),
  principal: asked.principalFilter,
  host: asked.hostFilter,
  operation: wordOf(operations, asked.operation),
  permission: wordOf(permissions, asked.permissionType),
})

/** What is told of the resources that an ACL speaks of. */
export const resourceOf = ({ resourceType, resourceName, patternType }: Acl) => ({
  resourceType: resourceTypes[resourceType],
  resourceName,
  patternType: patternTypes[patternType],
})

/** What is told of it besides. */
export const entryOf = ({ principal, host, operation, permission }: Acl) => ({
  principal,
  host,
  operation: operations[operation],
  permissionType: permissions[permission],
})
