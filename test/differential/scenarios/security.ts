// What is asked about access: permissions, passwords, tokens, authentication that nobody needs.

import { saslHandshake } from '../../../protocol/messages/17-sasl-handshake.ts'
import { describeAcls } from '../../../protocol/messages/29-describe-acls.ts'
import { createAcls } from '../../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../../protocol/messages/31-delete-acls.ts'
import { saslAuthenticate } from '../../../protocol/messages/36-sasl-authenticate.ts'
import { createDelegationToken } from '../../../protocol/messages/38-create-delegation-token.ts'
import { renewDelegationToken } from '../../../protocol/messages/39-renew-delegation-token.ts'
import { expireDelegationToken } from '../../../protocol/messages/40-expire-delegation-token.ts'
import { describeDelegationToken } from '../../../protocol/messages/41-describe-delegation-token.ts'
import { describeUserScramCredentials } from '../../../protocol/messages/50-describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from '../../../protocol/messages/51-alter-user-scram-credentials.ts'
import type { Side } from '../side.ts'

export async function aclsScenario(side: Side): Promise<void> {
  const any = {
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 3,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  }
  const one = {
    resourceType: 2,
    resourceName: 't',
    resourcePatternType: 3,
    principal: 'User:a',
    host: '*',
    operation: 3,
    permissionType: 3,
  }
  await side.each('any', describeAcls, any)
  await side.each('any, to delete', deleteAcls, { filters: [any, { ...any, resourceNameFilter: 't' }] })
  await side.each('none to delete', deleteAcls, { filters: [] })
  await side.each('one', createAcls, { creations: [one] })
  await side.each('one twice', createAcls, { creations: [one, one] })
  await side.each('none', createAcls, { creations: [] })
  await side.each('a principal without a type', createAcls, { creations: [{ ...one, principal: 'a' }] })
  await side.each('operation 99', describeAcls, { ...any, operation: 99 })
  await side.each('operation 99 to make', createAcls, { creations: [{ ...one, operation: 99 }] })
  const odd = (label: string, filter: Partial<typeof any>, creation: Partial<typeof one>) =>
    Promise.resolve()
      .then(() => side.each(label, describeAcls, { ...any, ...filter }))
      .then(() => side.each(`${label}, to delete`, deleteAcls, { filters: [{ ...any, ...filter }] }))
      .then(() => side.each(`${label}, to make`, createAcls, { creations: [{ ...one, ...creation }] }))
  for (const code of [-1, 0, 1, 2, 3, 4, 5, 7, 8, 13, 15, 16, 127]) {
    await odd(`resource type ${code}`, { resourceTypeFilter: code }, { resourceType: code })
    await odd(`pattern type ${code}`, { patternTypeFilter: code }, { resourcePatternType: code })
    await odd(`operation ${code}`, { operation: code }, { operation: code })
    await odd(`permission ${code}`, { permissionType: code }, { permissionType: code })
  }
  for (const name of ['', '*', 'a'])
    await odd(`name «${name}»`, { resourceNameFilter: name as never }, { resourceName: name })
  for (const host of ['', '::1', 'x']) await odd(`host «${host}»`, { hostFilter: host as never }, { host })
}

export async function scramScenario(side: Side): Promise<void> {
  type User = [name: string, mechanism?: number, iterations?: number]
  const bytes = Buffer.from('salted')
  const alter = (deletions: User[], upsertions: User[]) =>
    side.each(`${JSON.stringify(deletions)} ${JSON.stringify(upsertions)}`, alterUserScramCredentials, {
      deletions: deletions.map(([name, mechanism = 1]) => ({ name, mechanism })),
      upsertions: upsertions.map(([name, mechanism = 1, iterations = 4096]) => {
        return { name, mechanism, iterations, salt: bytes, saltedPassword: bytes }
      }),
    })
  const describe = (...names: string[]) =>
    side.each(`describe ${names}`, describeUserScramCredentials, { users: names.map((name) => ({ name })) })
  await alter([], [])
  await describe()
  await alter([['sc-a']], [])
  for (const mechanism of [-1, 0, 3]) {
    await alter([], [['sc-a', mechanism]])
    await alter([['sc-a', mechanism]], [])
  }
  for (const iterations of [-1, 0, 4095, 16_385])
    for (const mechanism of [1, 2]) await alter([], [['sc-a', mechanism, iterations]])
  await alter([], [['']])
  await alter([['']], [])
  await alter([], [['sc-a'], ['sc-a']])
  await alter([], [['sc-a'], ['sc-a', 2]])
  await alter([['sc-a']], [['sc-a']])
  await alter([], [['sc-b'], ['sc-c', 9]])
  await side.settle()
  await describe()
  await alter([], [['sc-a', 1, 16_384]])
  await side.settle()
  await alter([['sc-a']], [['sc-a', 2]])
  await alter([['sc-a'], ['sc-a']], [])
  await describe('sc-a')
  await describe('sc-a', 'sc-none')
  await describe('')
  await describe('sc-a', 'sc-a')
  await alter([['sc-a'], ['sc-b']], [])
  await side.settle()
  await describe()
}

export async function tokensScenario(side: Side): Promise<void> {
  const hmac = Buffer.from('x')
  await side.each('one', createDelegationToken, { renewers: [], maxLifetimeMs: -1 })
  await side.each('for somebody', createDelegationToken, (version) =>
    version < 3 ? undefined : { renewers: [], maxLifetimeMs: -1, ownerPrincipalType: 'User', ownerPrincipalName: 'x' },
  )
  const renewers = [{ principalType: 'Other', principalName: 'x' }]
  await side.each('of another kind', createDelegationToken, { renewers, maxLifetimeMs: -1 })
  await side.each('renewed', renewDelegationToken, { hmac, renewPeriodMs: 1 })
  await side.each('expired', expireDelegationToken, { hmac, expiryTimePeriodMs: 1 })
  for (const owners of [null, [], [{ principalType: 'User', principalName: 'x' }]]) {
    await side.each(`of ${JSON.stringify(owners)}`, describeDelegationToken, { owners })
  }
  for (const mechanism of ['PLAIN', '', 'NO']) await side.each(mechanism, saslHandshake, { mechanism })
  await side.each('who I am', saslAuthenticate, { authBytes: Buffer.from('\0a\0b') })
}
