// What the members of a classic group agree on.

import { expect, test } from 'vitest'
import { Member } from '../../src/group/member.ts'
import { Membership } from '../../src/group/membership.ts'

function elected(...wishes: string[][]): string | null {
  const membership = new Membership()
  membership.protocolType = 'consumer'
  for (const [i, names] of wishes.entries()) {
    const protocols = names.map((name) => ({ name, metadata: Buffer.alloc(0) }))
    const of = { instanceId: null, clientId: '', clientHost: '', sessionTimeoutMs: 1, rebalanceTimeoutMs: 1, protocols }
    membership.add(new Member(`m${i}`, of))
  }
  return membership.electProtocol()
}

// What Kafka 4.4.0 was seen to choose: the first of its HashMap, whoever came first.
test.each([
  [['b', 'a'], ['a', 'b'], 'a'],
  [['a', 'b'], ['b', 'a'], 'a'],
])('%j and %j, one vote each: %s, as a real broker says', (mine, theirs, chosen) => {
  expect(elected(mine, theirs)).toBe(chosen)
})

test('in a rolling upgrade both brokers would choose the same, whichever member came first', () => {
  const [old, young] = [
    ['range', 'cooperative-sticky'],
    ['cooperative-sticky', 'range'],
  ]
  expect(elected(old!, young!)).toBe(elected(young!, old!))
})

test('most votes win over any order', () => {
  expect(elected(['b', 'a'], ['b', 'a'], ['a', 'b'])).toBe('b')
})
