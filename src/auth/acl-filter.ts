// Which ACLs somebody means: what DescribeAcls and DeleteAcls ask by (KIP-140, KIP-290).

import { type Acl, type operations, type patternTypes, type permissions, type resourceTypes, wildcard } from './acl.ts'

/** null: whatever it is. A word that no ACL has finds nothing. */
export type AclFilter = {
  readonly resourceType: keyof typeof resourceTypes
  readonly resourceName: string | null
  /** MATCH: those that would speak of a resource of this name; ANY: those that are called so. */
  readonly patternType: keyof typeof patternTypes
  readonly principal: string | null
  readonly host: string | null
  readonly operation: keyof typeof operations
  readonly permission: keyof typeof permissions
}

const isMeant = (asked: string | null, said: string): boolean => asked === null || asked === 'ANY' || asked === said

export const matches = (filter: AclFilter, acl: Acl): boolean =>
  isMeant(filter.resourceType, acl.resourceType) &&
  matchesPattern(filter, acl) &&
  (filter.principal === null || filter.principal === acl.principal) &&
  (filter.host === null || filter.host === acl.host) &&
  isMeant(filter.operation, acl.operation) &&
  isMeant(filter.permission, acl.permission)

function matchesPattern({ patternType, resourceName: asked }: AclFilter, acl: Acl): boolean {
  const { resourceName: said } = acl
  if (patternType !== 'MATCH') return isMeant(patternType, acl.patternType) && (asked === null || asked === said)
  if (asked === null) return true
  return acl.patternType === 'PREFIXED' ? asked.startsWith(said) : said === asked || said === wildcard
}
