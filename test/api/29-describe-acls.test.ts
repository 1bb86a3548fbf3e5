// Access, while nothing looks after it: what a Kafka 4.4.0 without authorizer and without SASL says.

import { expect, test } from 'vitest'
import { saslHandshake } from '../../protocol/messages/17-sasl-handshake.ts'
import { describeAcls } from '../../protocol/messages/29-describe-acls.ts'
import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../protocol/messages/31-delete-acls.ts'
import { saslAuthenticate } from '../../protocol/messages/36-sasl-authenticate.ts'
import { createDelegationToken } from '../../protocol/messages/38-create-delegation-token.ts'
import { renewDelegationToken } from '../../protocol/messages/39-renew-delegation-token.ts'
import { expireDelegationToken } from '../../protocol/messages/40-expire-delegation-token.ts'
import { describeDelegationToken } from '../../protocol/messages/41-describe-delegation-token.ts'
import { errorOf, Line } from './line.ts'

const codes = { operation: 1, permissionType: 1 }
const any = { resourceTypeFilter: 1, resourceNameFilter: null, principalFilter: null, hostFilter: null, ...codes }
const one = { resourceType: 2, resourceName: 't', principal: 'User:a', host: '*', operation: 3, permissionType: 3 }

test.each([1, 2, 3])('ACLs v%i: there is no authorizer', async (version) => {
  await using line = await Line.open()
  const described = await line.ask(describeAcls, version, any)
  expect([errorOf(described), described.resources]).toEqual(['SECURITY_DISABLED', []])
  const created = await line.ask(createAcls, version, { creations: [one, one] })
  expect(created.results.map(errorOf)).toEqual(['SECURITY_DISABLED', 'SECURITY_DISABLED'])
  const deleted = await line.ask(deleteAcls, version, { filters: [any] })
  expect(deleted.filterResults.map(errorOf)).toEqual(['SECURITY_DISABLED'])
})

test('an ACL with an element of kind UNKNOWN ends the connection', async () => {
  await using line = await Line.open()
  for (const bad of [{ resourceTypeFilter: 0 }, { patternTypeFilter: 0 }, { operation: 0 }, { permissionType: 0 }]) {
    const client = await line.another()
    expect(await client.attempt(describeAcls, 3, { ...any, ...bad })).toBe('closed')
  }
  expect(await (await line.another()).attempt(deleteAcls, 3, { filters: [any, { ...any, operation: 0 }] })).toBe(
    'closed',
  )
  expect(await (await line.another()).attempt(createAcls, 3, { creations: [{ ...one, operation: 0 }] })).toBe('closed')
})

test('nobody authenticates on a listener without SASL', async () => {
  await using line = await Line.open()
  for (const version of [0, 1]) {
    const answer = await line.ask(saslHandshake, version, { mechanism: 'PLAIN' })
    expect([errorOf(answer), answer.mechanisms]).toEqual(['ILLEGAL_SASL_STATE', []])
  }
  for (const version of [0, 1, 2]) {
    expect(errorOf(await line.ask(saslAuthenticate, version, { authBytes: Buffer.from('x') }))).toBe(
      'ILLEGAL_SASL_STATE',
    )
  }
})

test('who has not authenticated has no tokens', async () => {
  await using line = await Line.open()
  const no = 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'
  const hmac = Buffer.from('x')
  const made = await line.ask(createDelegationToken, 3, { renewers: [], maxLifetimeMs: -1 })
  expect([errorOf(made), made.principalName, made.tokenRequesterPrincipalName]).toEqual([no, 'ANONYMOUS', 'ANONYMOUS'])
  expect(errorOf(await line.ask(renewDelegationToken, 2, { hmac, renewPeriodMs: 1 }))).toBe(no)
  expect(errorOf(await line.ask(expireDelegationToken, 2, { hmac, expiryTimePeriodMs: 1 }))).toBe(no)
  expect(errorOf(await line.ask(describeDelegationToken, 3, { owners: null }))).toBe(no)
})
