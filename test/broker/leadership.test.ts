// Who has a partition when nodes go and come: tables, most of whose rows a real cluster of three (4.3.1) was seen to follow.

import { describe, expect, test } from 'vitest'
import {
  type Leadership,
  ledBy,
  movedTo,
  newLeadership,
  reassigned,
  withNode,
  withoutNode,
} from '../../src/broker/leadership.ts'
import { Placement, partitionOfKey } from '../../src/broker/placement.ts'

/** `replicas / isr / eligible, leader @ epoch`: `1 2 / 1 / , 1 @ 0`. */
function state(text: string): Leadership {
  const [nodes = '', rest = ''] = text.split(',')
  const [replicas, isr, eligible] = nodes.split('/').map((list) => (list.match(/\d+/g) ?? []).map(Number))
  const [leader, epoch] = rest.split('@').map(Number)
  return { replicas: replicas!, isr: isr!, eligible: eligible ?? [], leader: leader!, epoch: epoch! }
}
const text = ({ replicas, isr, eligible, leader, epoch }: Leadership) =>
  `${replicas.join(' ')} / ${isr.join(' ')} / ${eligible.join(' ')}, ${leader} @ ${epoch}`
const running =
  (...nodes: number[]) =>
  (node: number) =>
    nodes.includes(node)

describe('a node that stops', () => {
  test.each([
    ['leads alone: nobody leads, and it stays eligible', '3 / 3 /, 3 @ 0', 3, 1, '3 /  / 3, -1 @ 1'],
    ['leads: the next in sync does', '3 1 / 3 1 /, 3 @ 0', 3, 1, '3 1 / 1 / , 1 @ 1'],
    ['follows: the leader stays, and so does its epoch', '2 3 / 2 3 /, 2 @ 0', 3, 1, '2 3 / 2 / , 2 @ 0'],
    ['is not in sync: nothing changes', '2 3 / 2 /, 2 @ 4', 3, 1, '2 3 / 2 / , 2 @ 4'],
    ['has nothing of it: nothing changes', '1 2 / 1 2 /, 1 @ 0', 3, 1, '1 2 / 1 2 / , 1 @ 0'],
    ['leaves too few in sync: it stays eligible', '1 2 3 / 1 2 3 /, 1 @ 0', 3, 3, '1 2 3 / 1 2 / 3, 1 @ 0'],
    ['is the preferred one of several', '1 2 3 / 3 2 1 /, 1 @ 0', 1, 1, '1 2 3 / 3 2 / , 2 @ 1'],
    ['is asked for more in sync than there are replicas', '1 2 / 1 2 /, 1 @ 0', 2, 5, '1 2 / 1 / 2, 1 @ 0'],
  ])('%s', (_, had, node, minInsync, next) => {
    expect(text(withoutNode(state(had), node, minInsync))).toBe(next)
  })
})

describe('a node that comes back', () => {
  test.each([
    ['was the last that knew all: it leads again', '3 /  / 3, -1 @ 1', 3, [1, 2, 3], '3 / 3 / , 3 @ 2'],
    ['finds a leader: it catches up and follows', '3 1 / 1 /, 1 @ 1', 3, [1, 2, 3], '3 1 / 1 3 / , 1 @ 1'],
    ['was late: it waits for one that knows all', '1 2 /  / 2, -1 @ 3', 1, [1], '1 2 /  / 2, -1 @ 3'],
    ['knew all: those who waited for it catch up', '1 2 /  / 2, -1 @ 3', 2, [1, 2], '1 2 / 2 1 / , 2 @ 4'],
    ['has nothing of it: nothing changes', '1 / 1 /, 1 @ 0', 3, [1, 3], '1 / 1 / , 1 @ 0'],
  ])('%s', (_, had, node, nodes, next) => {
    expect(text(withNode(state(had), node, running(...nodes)))).toBe(next)
  })
})

describe('a leader that is chosen', () => {
  test.each([
    ['leads already: nothing changes', '1 2 / 1 2 /, 1 @ 0', 1, '1 2 / 1 2 / , 1 @ 0'],
    ['is a replica', '1 2 3 / 1 2 3 /, 1 @ 0', 3, '1 2 3 / 1 2 3 / , 3 @ 1'],
    ['has no replica: it takes the place of the leader before', '1 2 / 1 2 /, 1 @ 5', 3, '3 2 / 3 2 / , 3 @ 6'],
    ['comes where nobody leads', '9 /  / 9, -1 @ 1', 2, '2 / 2 / , 2 @ 2'],
  ])('%s', (_, had, node, next) => {
    expect(text(movedTo(state(had), node, running(1, 2, 3)))).toBe(next)
  })

  test.each([
    ['keeps a leader that is one of them', '1 / 1 /, 1 @ 0', [2, 1], '2 1 / 2 1 / , 1 @ 0'],
    ['gives the lead to the first that runs', '1 / 1 /, 1 @ 0', [9, 3, 2], '9 3 2 / 3 2 / , 3 @ 1'],
  ])('reassigning %s', (_, had, replicas, next) => {
    expect(text(reassigned(state(had), replicas, running(1, 2, 3)))).toBe(next)
  })
})

test('a new partition is led by the first of its replicas that runs', () => {
  expect(text(newLeadership([3, 1, 2], running(1, 2)))).toBe('3 1 2 / 1 2 / , 1 @ 0')
})

describe('placement', () => {
  test('deals leaders in turn, followers behind their leader, and stopped nodes last', () => {
    const placement = new Placement(1, 3)
    expect(placement.spread(0, 4, 1)).toEqual([[1], [2], [3], [1]])
    expect(placement.spread(2, 2, 2)).toEqual([
      [3, 1],
      [1, 2],
    ])
    placement.stopped(1)
    expect(placement.spread(0, 2, 3)).toEqual([
      [2, 3, 1],
      [3, 2, 1],
    ])
  })

  test('of a folder that another cluster wrote drops nodes that are not there', () => {
    const placement = new Placement(1, 2)
    expect(text(placement.resumed({ replicas: [2, 3], leader: 3, epoch: 4 }, 0))).toBe('2 / 2 / , 2 @ 5')
    expect(text(placement.resumed({ replicas: [2, 1], leader: 1, epoch: 4 }, 0))).toBe('2 1 / 2 1 / , 1 @ 4')
    expect(text(placement.resumed({ replicas: [7], leader: 7, epoch: 4 }, 1))).toBe('2 / 2 / , 2 @ 5')
  })

  test('of one broker is that broker', () => {
    const placement = new Placement(5, 1)
    expect(placement.isCluster).toBe(false)
    expect(placement.default).toEqual(ledBy(5))
  })

  test.each([
    ['sfghij', 11],
    ['', 0],
  ])("remembers '%s' where the real broker does", (key, partition) => {
    expect(partitionOfKey(key, 50)).toBe(partition)
  })
})
