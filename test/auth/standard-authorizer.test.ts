// Four thousand questions as the StandardAuthorizer of Kafka 4.3.1 answered them (Answers.java asked it): up to six ACLs each, drawn from
// few names, principals and addresses so that they get into one another's way.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Acl, ResourceType } from '../../src/auth/acl.ts'
import { AclSet } from '../../src/auth/acl-set.ts'
import { Authorizer } from '../../src/auth/authorizer.ts'

const lines = gunzipSync(readFileSync(new URL('standard-authorizer-4.3.1.tsv.gz', import.meta.url)))
  .toString()
  .trimEnd()
  .split('\n')

const aclOf = (text: string): Acl => {
  const [resourceType, resourceName, patternType, principal, host, operation, permission] = text.split(',')
  return { resourceType, resourceName, patternType, principal, host, operation, permission } as Acl
}

function allows(asked: readonly string[]): boolean {
  const [superUsers, unmentioned, acls, principal, host, operation, type, name, isAny] = asked as [
    ...[string, string, string, string, string, Parameters<Authorizer['allows']>[1], ResourceType, string, string],
  ]
  const authorizer = new Authorizer(new AclSet(acls === '' ? [] : acls.split(';').map(aclOf)), {
    superUsers: new Set(superUsers.split(';')),
    allowsUnmentioned: unmentioned === 'true',
  })
  const by = { principal, host }
  return isAny === '1' ? authorizer.allowsAny(by, operation, type) : authorizer.allows(by, operation, type, name)
}

test('every question is answered as by Kafka', () => {
  expect(lines).toHaveLength(4000)
  const wrong = lines.filter((line) => {
    const [answer, ...asked] = line.split('\t')
    return allows(asked) !== (answer === '1')
  })
  expect(wrong).toEqual([])
  expect(lines.filter((line) => line.startsWith('1')).length).toBeGreaterThan(500)
})
