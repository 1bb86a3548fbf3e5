// What somebody must be allowed to do before a command is run for them: nothing where no authorizer is on, else all of it.

import { expect, test } from 'vitest'
import type { Acl } from '../../src/auth/acl.ts'
import { AclSet } from '../../src/auth/acl-set.ts'
import { Authorizer } from '../../src/auth/authorizer.ts'
import { type Command, parseCommand } from '../../src/branch/commands.ts'
import { forbidden, rightsFor, type Subjects } from '../../src/command/rights.ts'

const subjects: Subjects = {
  forked: () => [
    { from: 'orders', to: 'orders--S' },
    { from: 'stock', to: 'stock--S' },
  ],
  merged: () => [{ from: 'orders--S', into: 'orders' }],
  branches: () => [{ branch: 'orders--S', parent: 'orders' }],
  writtenBy: () => ['orders', 'stock'],
}

const command = (given: object) => parseCommand(Buffer.from(JSON.stringify(given)), 'c-0').command as Command
const rights = (given: object) =>
  rightsFor(command(given), subjects).map(({ operation, topic = 'the cluster' }) => `${operation} ${topic}`)

test.each([
  [
    { op: 'fork', set: 'S', from: '*' },
    [
      'READ orders',
      'DESCRIBE_CONFIGS orders',
      'CREATE orders--S',
      'READ stock',
      'DESCRIBE_CONFIGS stock',
      'CREATE stock--S',
    ],
  ],
  [{ op: 'plan', from: 'orders--S', into: 'orders' }, ['READ orders--S', 'DESCRIBE_CONFIGS orders--S', 'READ orders']],
  [{ op: 'merge', from: 'orders--S', into: 'orders' }, ['READ orders--S', 'WRITE orders']],
  [{ op: 'resolve', merge: 'm', topic: 'orders', partition: 0, key: 'k', take: 'ours' }, ['WRITE orders']],
  [{ op: 'revert', topic: 'orders', merge: 'm' }, ['WRITE orders']],
  [{ op: 'revert', merge: 'm' }, ['WRITE orders', 'WRITE stock']],
  [{ op: 'reset', branch: 'orders--S' }, ['DELETE orders--S']],
  [{ op: 'abandon', set: 'S' }, ['DELETE orders--S']],
  [{ op: 'promote', branch: 'orders--S' }, ['DELETE orders--S', 'ALTER orders--S', 'DELETE orders', 'ALTER orders']],
  [{ op: 'listen', set: 'S' }, ['ALTER the cluster']],
])('%j', (given, wanted) => {
  expect(rights(given)).toEqual(wanted)
})

const allowed: Acl = {
  resourceType: 'TOPIC',
  resourceName: '*',
  patternType: 'LITERAL',
  principal: 'User:alice',
  host: '*',
  operation: 'ALL',
  permission: 'ALLOW',
}
const denied: Acl = { ...allowed, resourceName: 'stock', permission: 'DENY' }

const authorizerOf = (...acls: Acl[]) =>
  new Authorizer(new AclSet(acls), { superUsers: new Set(), allowsUnmentioned: false })

test('one right that is missing keeps the whole command from being run, and says which it is', () => {
  const fork = command({ op: 'fork', set: 'S', from: '*' })
  const by = 'User:alice'
  expect(forbidden(fork, { by }, subjects, authorizerOf(allowed, denied))).toMatchObject({
    code: 'TOPIC_AUTHORIZATION_FAILED',
    message: "User:alice needs READ on the topic 'stock'.",
  })
  expect(forbidden(fork, { by }, subjects, authorizerOf(allowed))).toBeUndefined()
  expect(forbidden(fork, { by }, subjects, undefined)).toBeUndefined()
})

test('a right that counts at one address needs the command to come from there', () => {
  const plan = command({ op: 'plan', from: 'orders--S', into: 'orders' })
  const authorizer = authorizerOf({ ...allowed, host: '10.0.0.1' })
  const by = 'User:alice'
  expect(forbidden(plan, { by, host: '10.0.0.1' }, subjects, authorizer)).toBeUndefined()
  expect(forbidden(plan, { by, host: '10.0.0.2' }, subjects, authorizer)?.code).toBe('TOPIC_AUTHORIZATION_FAILED')
  expect(forbidden(plan, { by }, subjects, authorizer)?.code).toBe('TOPIC_AUTHORIZATION_FAILED')
})

test('who may make any topic may make a branch, and who may delete any may give it up', () => {
  const fork = command({ op: 'fork', from: 'orders', to: 'orders--x' })
  const reads: Acl[] = [
    { ...allowed, operation: 'READ' },
    { ...allowed, operation: 'DESCRIBE_CONFIGS' },
  ]
  const ofCluster: Acl = { ...allowed, resourceType: 'CLUSTER', resourceName: 'kafka-cluster', operation: 'CREATE' }
  const by = 'User:alice'
  expect(forbidden(fork, { by }, subjects, authorizerOf(...reads))?.message).toContain('CREATE')
  expect(forbidden(fork, { by }, subjects, authorizerOf(...reads, ofCluster))).toBeUndefined()
  const abandon = command({ op: 'abandon', branch: 'orders--S' })
  expect(forbidden(abandon, { by }, subjects, authorizerOf(...reads, ofCluster))?.message).toContain('DELETE')
  const ofAll: Acl = { ...ofCluster, operation: 'ALL' }
  expect(forbidden(abandon, { by }, subjects, authorizerOf(...reads, ofAll))).toBeUndefined()
})
