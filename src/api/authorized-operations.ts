// What a client may do with a resource, as bits: everything that a resource of its kind knows, while there is no authorizer.
// Source: KIP-430; a bit is the code of the operation.

import { operations, type Question } from '../auth/acl.ts'
import type { Context } from './api.ts'

/** What can be done with a resource at all. */
const kinds = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DELETE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
} as const satisfies Record<string, readonly Question[]>
const ofCluster = [
  'CREATE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
] as const satisfies readonly Question[]

const bits = (some: readonly Question[]): number => some.reduce((sum, name) => sum | (1 << operations[name]), 0)
const allBits = { TOPIC: bits(kinds.TOPIC), GROUP: bits(kinds.GROUP), CLUSTER: bits(ofCluster) }

/** The answer where nobody asked. */
export const notAsked = -0x8000_0000

/** The same by name, where a request has a field that asks for it. */
export const operationsIf = (isAsked: boolean, type: keyof typeof kinds, context: Context) => (name: string) =>
  isAsked ? operationsOn(type, name, context) : notAsked

export function operationsOn(type: keyof typeof kinds, name: string, { broker, client }: Context): number {
  const { authorizer } = broker
  if (authorizer === undefined) return allBits[type]
  return bits(kinds[type].filter((operation) => authorizer.allows(client, operation, type, name)))
}

/** None where they may not even describe it. */
export function operationsOnCluster({ broker: { authorizer }, client }: Context): number {
  if (authorizer === undefined) return allBits.CLUSTER
  if (!authorizer.allows(client, 'DESCRIBE', 'CLUSTER')) return 0
  return bits(ofCluster.filter((operation) => authorizer.allows(client, operation, 'CLUSTER')))
}
