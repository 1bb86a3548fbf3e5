// What a client may do, as bits: everything that a resource knows, while there is no authorizer.
// Source: KIP-430; the codes are those of AclOperation.

const operations = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const

const bits = (...names: (keyof typeof operations)[]): number =>
  names.reduce((sum, name) => sum | (1 << operations[name]), 0)

/** The answer where nobody asked. */
export const notAsked = -0x8000_0000
export const topicOperations = bits(
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
)
export const clusterOperations = bits(
  'create',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
)
export const groupOperations = bits('read', 'delete', 'describe', 'describeConfigs', 'alterConfigs')
