// Who may do what, by ACLs: the rules of Kafka's StandardAuthorizer one by one. What it said itself: standard-authorizer.test.ts.

import { describe, expect, test } from 'vitest'
import type { Acl, Operation, Permission } from '../../src/auth/acl.ts'
import { AclSet } from '../../src/auth/acl-set.ts'
import { Authorizer, inProcess, type Policy } from '../../src/auth/authorizer.ts'

const alice = { principal: 'User:alice', host: '10.0.0.1' }
const bob = { principal: 'User:bob', host: '10.0.0.2' }

/** `ALLOW READ on orders`, `DENY ALL on pre*`, `… on *`, `… from 10.0.0.2`, `… for User:*`: of a topic, and for alice unless it says. */
function aclOf(said: string): Acl {
  const [, permission, operation, name, , principal, , host] =
    /^(ALLOW|DENY) (\w+) on (\S+)( for (\S+))?( from (\S+))?$/.exec(said)!
  const isPrefix = name!.length > 1 && name!.endsWith('*')
  return {
    resourceType: 'TOPIC',
    resourceName: isPrefix ? name!.slice(0, -1) : name!,
    patternType: isPrefix ? 'PREFIXED' : 'LITERAL',
    principal: principal ?? alice.principal,
    host: host ?? '*',
    operation: operation as Operation,
    permission: permission as Permission,
  }
}

const authorizerOf = (acls: readonly string[], policy: Partial<Policy> = {}) =>
  new Authorizer(new AclSet(acls.map(aclOf)), { superUsers: new Set(), allowsUnmentioned: false, ...policy })

type Question = Parameters<Authorizer['allows']>[1]

describe('one resource', () => {
  test.each<[acls: string[], operation: Question, topic: string, allowed: boolean]>([
    [[], 'READ', 'orders', false],
    [['ALLOW READ on orders'], 'READ', 'orders', true],
    [['ALLOW READ on orders'], 'WRITE', 'orders', false],
    [['ALLOW READ on orders'], 'READ', 'orders2', false],
    [['ALLOW READ on orders'], 'READ', 'order', false],
    [['ALLOW ALL on orders'], 'DELETE', 'orders', true],
    // Names: one, all, and all that begin so.
    [['ALLOW READ on *'], 'READ', 'orders', true],
    [['ALLOW READ on ord*'], 'READ', 'orders', true],
    [['ALLOW READ on ord*'], 'READ', 'ord', true],
    [['ALLOW READ on ord*'], 'READ', 'or', false],
    // Who is denied is denied, wherever it stands and whatever else is allowed.
    [['ALLOW READ on orders', 'DENY READ on orders'], 'READ', 'orders', false],
    [['ALLOW READ on orders', 'DENY READ on ord*'], 'READ', 'orders', false],
    [['DENY READ on *', 'ALLOW READ on orders'], 'READ', 'orders', false],
    [['DENY ALL on orders', 'ALLOW READ on orders'], 'READ', 'orders', false],
    [['ALLOW ALL on *', 'DENY WRITE on orders'], 'READ', 'orders', true],
    // Some allow what they imply; none denies it.
    [['ALLOW READ on orders'], 'DESCRIBE', 'orders', true],
    [['ALLOW WRITE on orders'], 'DESCRIBE', 'orders', true],
    [['ALLOW DELETE on orders'], 'DESCRIBE', 'orders', true],
    [['ALLOW ALTER on orders'], 'DESCRIBE', 'orders', true],
    [['ALLOW CREATE on orders'], 'DESCRIBE', 'orders', false],
    [['ALLOW ALTER_CONFIGS on orders'], 'DESCRIBE', 'orders', false],
    [['ALLOW ALTER_CONFIGS on orders'], 'DESCRIBE_CONFIGS', 'orders', true],
    [['ALLOW ALTER on orders'], 'DESCRIBE_CONFIGS', 'orders', false],
    [['ALLOW DESCRIBE on orders', 'DENY READ on orders'], 'DESCRIBE', 'orders', true],
    [['ALLOW READ on orders', 'DENY DESCRIBE on orders'], 'DESCRIBE', 'orders', false],
    [['ALLOW READ on orders', 'DENY DESCRIBE on orders'], 'READ', 'orders', true],
    // Whom, and from where.
    [['ALLOW READ on orders for User:bob'], 'READ', 'orders', false],
    [['ALLOW READ on orders for User:*'], 'READ', 'orders', true],
    [['ALLOW READ on orders from 10.0.0.1'], 'READ', 'orders', true],
    [['ALLOW READ on orders from 10.0.0.2'], 'READ', 'orders', false],
    [['ALLOW READ on orders', 'DENY READ on orders for User:* from 10.0.0.1'], 'READ', 'orders', false],
  ])('%j: %s of %s is allowed: %s', (acls, operation, topic, allowed) => {
    expect(authorizerOf(acls).allows(alice, operation, 'TOPIC', topic)).toBe(allowed)
    // What is said of a topic is said of no group that is called so.
    expect(authorizerOf(acls).allows(alice, operation, 'GROUP', topic)).toBe(false)
  })

  test('where nobody speaks of a resource everybody may be allowed; who speaks of it, of whomever, ends that', () => {
    const authorizer = authorizerOf(['ALLOW READ on orders for User:bob', 'ALLOW READ on a*'], {
      allowsUnmentioned: true,
    })
    const mayWrite = (topic: string) => authorizer.allows(alice, 'WRITE', 'TOPIC', topic)
    expect([mayWrite('stock'), mayWrite('orders'), mayWrite('abc')]).toEqual([true, false, false])
    expect(authorizer.allows(bob, 'READ', 'TOPIC', 'orders')).toBe(true)
    expect(authorizer.allows(alice, 'ALTER', 'CLUSTER')).toBe(true)
  })

  test('super users, and the program that has the broker inside, may do what is denied to them', () => {
    const authorizer = authorizerOf(['DENY ALL on * for User:*'], { superUsers: new Set(['User:alice']) })
    expect(authorizer.allows(alice, 'WRITE', 'TOPIC', 'orders')).toBe(true)
    expect(authorizer.allowsAny(alice, 'WRITE', 'TOPIC')).toBe(true)
    expect(authorizer.allows(bob, 'WRITE', 'TOPIC', 'orders')).toBe(false)
    expect(authorizer.allows({ ...bob, host: inProcess }, 'WRITE', 'TOPIC', 'orders')).toBe(true)
  })

  test.each([
    ['127.0.0.1', '::ffff:127.0.0.1', true],
    ['0:0:0:0:0:0:0:1', '::1', true],
    ['::1', '::1', true],
    ['2001:DB8::FF', '2001:db8::ff', true],
    ['fe80::1', 'fe80::1%eth0', true],
    ['127.0.0.1', '127.0.0.10', false],
    ['localhost', '127.0.0.1', false],
  ])('an ACL for the host %s counts for a connection from %s: %s', (host, from, counts) => {
    const authorizer = authorizerOf([`ALLOW READ on orders from ${host}`])
    expect(authorizer.allows({ ...alice, host: from }, 'READ', 'TOPIC', 'orders')).toBe(counts)
  })

  test('what was decided is decided anew when an ACL comes or goes', () => {
    const acls = new AclSet()
    const authorizer = new Authorizer(acls, { superUsers: new Set(), allowsUnmentioned: false })
    const mayRead = () => authorizer.allows(alice, 'READ', 'TOPIC', 'orders')
    const seen = [mayRead()]
    for (const said of ['ALLOW READ on orders', 'DENY READ on ord*']) {
      acls.add(aclOf(said))
      seen.push(mayRead())
    }
    acls.remove(aclOf('DENY READ on ord*'))
    seen.push(mayRead())
    // It is there once, however often it was added.
    acls.add(aclOf('ALLOW READ on orders'))
    acls.remove(aclOf('ALLOW READ on orders'))
    seen.push(mayRead())
    expect(seen).toEqual([false, true, false, true, false])
  })
})

describe('any resource of a type', () => {
  test.each<[acls: string[], allowed: boolean]>([
    [[], false],
    [['ALLOW WRITE on orders'], true],
    [['ALLOW WRITE on ord*'], true],
    [['ALLOW WRITE on *'], true],
    [['ALLOW ALL on orders'], true],
    [['ALLOW READ on orders'], false],
    [['ALLOW WRITE on orders for User:bob'], false],
    [['ALLOW WRITE on orders from 10.0.0.2'], false],
    [['DENY WRITE on *', 'ALLOW WRITE on orders'], false],
    [['DENY WRITE on orders', 'ALLOW WRITE on orders'], false],
    [['DENY WRITE on orders', 'ALLOW WRITE on ord*'], true],
    [['DENY WRITE on ord*', 'ALLOW WRITE on orders'], false],
    [['DENY WRITE on ord*', 'ALLOW WRITE on orders*'], false],
    [['DENY WRITE on orders*', 'ALLOW WRITE on ord*'], true],
    [['DENY WRITE on orders', 'ALLOW WRITE on *'], true],
    [['DENY READ on *', 'ALLOW WRITE on orders'], true],
  ])('%j: some topic may be written: %s', (acls, allowed) => {
    expect(authorizerOf(acls).allowsAny(alice, 'WRITE', 'TOPIC')).toBe(allowed)
    expect(authorizerOf(acls).allowsAny(alice, 'WRITE', 'GROUP')).toBe(false)
  })

  test('nothing is implied there, and what nobody speaks of may be allowed to all', () => {
    expect(authorizerOf(['ALLOW READ on orders']).allowsAny(alice, 'DESCRIBE', 'TOPIC')).toBe(false)
    expect(authorizerOf([], { allowsUnmentioned: true }).allowsAny(alice, 'WRITE', 'TOPIC')).toBe(true)
  })
})
