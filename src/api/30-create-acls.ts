// CreateAcls: allows or forbids; each by itself, and what is said already is no error. Without an authorizer all are refused.

import { Refusal } from '../../protocol/errors.ts'
import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import type { Request } from '../../protocol/schema.ts'
import { type Acl, clusterName, operations, patternTypes, permissions, resourceTypes } from '../auth/acl.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { checkAclCodes, noAuthorizer, wordOf } from './acl.ts'
import { serve } from './api.ts'

type Creation = Request<typeof createAcls>['creations'][number]

const anyCode = 1

/** In the order of a real broker. */
function aclOf(asked: Creation): Acl | Refusal {
  const { resourceName, principal, host } = asked
  const resourceType = wordOf(resourceTypes, asked.resourceType)
  const patternType = wordOf(patternTypes, asked.resourcePatternType)
  const operation = wordOf(operations, asked.operation)
  const permission = wordOf(permissions, asked.permissionType)
  const refuse = (why: string) => new Refusal('INVALID_REQUEST', why)
  if (resourceType === 'CLUSTER' && resourceName !== clusterName)
    return refuse(`The only valid name for the CLUSTER resource is ${clusterName}`)
  if (resourceName === '') return refuse('Invalid empty resource name')
  if (resourceType === 'UNKNOWN' || resourceType === 'ANY') return refuse(`Invalid resourceType ${resourceType}`)
  if (patternType !== 'LITERAL' && patternType !== 'PREFIXED') return refuse(`Invalid patternType ${patternType}`)
  if (operation === 'UNKNOWN' || operation === 'ANY') return refuse(`Invalid operation ${operation}`)
  if (permission === 'UNKNOWN' || permission === 'ANY') return refuse(`Invalid permissionType ${permission}`)
  if (!principal.includes(':')) {
    const why = 'no colon is present separating the principal type from the principal name'
    return refuse(`Could not parse principal from \`${principal}\` (${why})`)
  }
  return { resourceType, resourceName, patternType, principal, host, operation, permission }
}

/** A broker that gets a word for "any of them" here fails as a whole. */
const saysAny = ({ resourceType, resourcePatternType, operation, permissionType }: Creation): boolean =>
  [resourceType, operation, permissionType].includes(anyCode) ||
  resourcePatternType === anyCode ||
  resourcePatternType === patternTypes.MATCH

const unsaid = new Refusal('UNKNOWN_SERVER_ERROR', 'ANY and MATCH are for filters: an ACL says which one it is.')

const resultOf = (refusal: Refusal | undefined) => ({
  errorCode: refusal?.code ?? 0,
  errorMessage: refusal?.message ?? '',
})

export const createAclsApi = serve(createAcls, [1, 3], async ({ creations }, { broker }) => {
  for (const { resourceType, resourcePatternType, operation, permissionType } of creations) {
    checkAclCodes(resourceType, resourcePatternType, operation, permissionType)
  }
  if (broker.authorizer === undefined) return { results: creations.map(() => noAuthorizer('.')) }
  if (creations.some(saysAny)) return { results: creations.map(() => resultOf(unsaid)) }
  const asked = creations.map(aclOf)
  let failure: Refusal | undefined
  try {
    await broker.acls.add(asked.filter((one): one is Acl => !(one instanceof Refusal)))
  } catch (cause) {
    failure = storageRefusal(cause)
  }
  return { results: asked.map((one) => resultOf(one instanceof Refusal ? one : failure)) }
})
