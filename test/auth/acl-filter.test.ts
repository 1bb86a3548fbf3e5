// Which ACLs a filter finds: exact ones, any, and those that would speak of a name (MATCH).

import { expect, test } from 'vitest'
import type { Acl } from '../../src/auth/acl.ts'
import { type AclFilter, matches } from '../../src/auth/acl-filter.ts'

const acl: Acl = {
  resourceType: 'TOPIC',
  resourceName: 'orders',
  patternType: 'LITERAL',
  principal: 'User:alice',
  host: '*',
  operation: 'READ',
  permission: 'ALLOW',
}
const prefixed: Acl = { ...acl, resourceName: 'ord', patternType: 'PREFIXED' }
const ofAll: Acl = { ...acl, resourceName: '*' }

const any: AclFilter = {
  resourceType: 'ANY',
  resourceName: null,
  patternType: 'ANY',
  principal: null,
  host: null,
  operation: 'ANY',
  permission: 'ANY',
}

test.each<[filter: Partial<AclFilter>, found: boolean]>([
  [{}, true],
  [{ resourceType: 'TOPIC' }, true],
  [{ resourceType: 'GROUP' }, false],
  [{ resourceType: 'UNKNOWN' }, false],
  [{ resourceName: 'orders' }, true],
  [{ resourceName: 'ord' }, false],
  [{ patternType: 'PREFIXED' }, false],
  [{ patternType: 'UNKNOWN' }, false],
  [{ principal: 'User:alice' }, true],
  [{ principal: 'User:*' }, false],
  [{ host: '*' }, true],
  [{ host: '10.0.0.1' }, false],
  [{ operation: 'READ' }, true],
  [{ operation: 'ALL' }, false],
  [{ operation: 'DESCRIBE' }, false],
  [{ permission: 'DENY' }, false],
])('%j finds an ACL that allows alice to read orders: %s', (filter, found) => {
  expect(matches({ ...any, ...filter }, acl)).toBe(found)
})

test.each<[patternType: AclFilter['patternType'], name: string | null, found: Acl[]]>([
  ['LITERAL', 'orders', [acl]],
  ['LITERAL', '*', [ofAll]],
  ['LITERAL', null, [acl, ofAll]],
  ['PREFIXED', 'ord', [prefixed]],
  ['PREFIXED', 'orders', []],
  ['ANY', 'ord', [prefixed]],
  ['ANY', null, [acl, prefixed, ofAll]],
  ['MATCH', 'orders', [acl, prefixed, ofAll]],
  ['MATCH', 'ordinary', [prefixed, ofAll]],
  ['MATCH', 'or', [ofAll]],
  ['MATCH', '*', [ofAll]],
  ['MATCH', null, [acl, prefixed, ofAll]],
])('%s of %s', (patternType, resourceName, found) => {
  const all = [acl, prefixed, ofAll]
  expect(all.filter((one) => matches({ ...any, patternType, resourceName }, one))).toEqual(found)
})
