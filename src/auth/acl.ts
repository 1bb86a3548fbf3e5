// What an ACL says: who may, or may not, do what with which resource, and from where. The words are Kafka's, the numbers those
// of its protocol.

export const resourceTypes = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
} as const
export const patternTypes = { UNKNOWN: 0, ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 } as const
export const operations = {
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15,
} as const
export const permissions = { UNKNOWN: 0, ANY: 1, DENY: 2, ALLOW: 3 } as const

export type ResourceType = Exclude<keyof typeof resourceTypes, 'UNKNOWN' | 'ANY'>
export type PatternType = Exclude<keyof typeof patternTypes, 'UNKNOWN' | 'ANY' | 'MATCH'>
export type Operation = Exclude<keyof typeof operations, 'UNKNOWN' | 'ANY'>
/** What is asked for: nobody asks for all at once. */
export type Question = Exclude<Operation, 'ALL'>
export type Permission = Exclude<keyof typeof permissions, 'UNKNOWN' | 'ANY'>

export type Acl = {
  readonly resourceType: ResourceType
  /** With LITERAL `*` is each of its type. */
  readonly resourceName: string
  readonly patternType: PatternType
  /** `User:*` is everybody. */
  readonly principal: string
  /** An address; `*` is every one. */
  readonly host: string
  readonly operation: Operation
  readonly permission: Permission
}

/** As a name: every resource of the type. As a host: every one. */
export const wildcard = '*'
export const everybody = 'User:*'
/** What the one resource of type CLUSTER is called. */
export const clusterName = 'kafka-cluster'

/** Two that say the same are one. */
export const aclKey = (acl: Acl): string =>
  JSON.stringify([
    acl.resourceType,
    acl.resourceName,
    acl.patternType,
    acl.principal,
    acl.host,
    acl.operation,
    acl.permission,
  ])
