// The assignors of the broker, with any members, subscriptions and histories.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignors, type Subscriber } from '../../src/group/assignors.ts'
import {
  countOf,
  each,
  includes,
  type Partitions,
  partitionsOf,
  topicPartitionsOf,
} from '../../src/group/partitions.ts'

const subscriber = (id: string, topics: string[], had: Record<string, number[]> = {}): Subscriber => ({
  id,
  instanceId: null,
  topics: new Set(topics),
  had: partitionsOf(Object.entries(had).map(([topicId, partitions]) => ({ topicId, partitions }))),
})
const shown = (assignment: Map<string, Partitions>) =>
  Object.fromEntries(
    [...assignment].map(([id, has]) => [
      id,
      topicPartitionsOf(has)
        .map(({ topicId, partitions }) => `${topicId}${partitions.join('')}`)
        .join(' '),
    ]),
  )
const { uniform, range } = assignors as { uniform: (typeof assignors)[string]; range: (typeof assignors)[string] }

test('uniform: who comes takes from the end of what the others have, as in the real broker', () => {
  const topics = new Map([['t', 4]])
  const two = [subscriber('a', ['t'], { t: [0, 1, 2, 3] }), subscriber('b', ['t'])]
  expect(shown(uniform(two, topics))).toEqual({ a: 't01', b: 't23' })
})

test('uniform: where subscriptions differ, partitions move to who can read nothing else', () => {
  const topics = new Map([
    ['t', 4],
    ['u', 2],
  ])
  const members = [subscriber('a', ['t', 'u'], { t: [0, 1] }), subscriber('b', ['t'], { t: [2, 3] })]
  expect(shown(uniform(members, topics))).toEqual({ a: 't0 u01', b: 't123' })
})

test('range: each topic in runs, the first members one more, instances before ids', () => {
  const topics = new Map([
    ['t', 5],
    ['u', 2],
  ])
  const members = [
    subscriber('b', ['t', 'u']),
    subscriber('a', ['t']),
    { ...subscriber('z', ['t', 'u']), instanceId: 'i' },
  ]
  expect(shown(range(members, topics))).toEqual({ z: 't01 u0', a: 't23', b: 't4 u1' })
})

const world = fc
  .record({
    topics: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
    members: fc.array(fc.array(fc.nat(4), { maxLength: 5 }), { minLength: 1, maxLength: 7 }),
    alike: fc.boolean(),
    owners: fc.array(fc.nat(8), { minLength: 45, maxLength: 45 }),
  })
  .map(({ topics, members, alike, owners }) => {
    const all = new Map(topics.map((count, i) => [`t${i}`, count]))
    const had = members.map((): Record<string, number[]> => ({}))
    let next = 0
    // What was had may be of topics that are gone, or no longer subscribed to, or shrunk.
    for (const topic of [...all.keys(), 'gone'])
      for (let p = 0; p < 7; p++) {
        const owner = had[owners[next++ % 45]! % 9]
        if (owner !== undefined) owner[topic] = [...(owner[topic] ?? []), p]
      }
    const subscribers = members.map((numbers, i) =>
      subscriber(
        `m${i}`,
        (alike ? members[0]! : numbers).map((n) => `t${n}`).filter((t) => all.has(t)),
        had[i],
      ),
    )
    return { subscribers, all }
  })

test.each(['uniform', 'range'] as const)('%s gives every partition to one member that subscribes to it', (name) => {
  fc.assert(
    fc.property(world, ({ subscribers, all }) => {
      const assignment = assignors[name]!(subscribers, all)
      expect([...assignment.keys()].sort()).toEqual(subscribers.map(({ id }) => id).sort())
      const owners = new Map<string, string>()
      for (const { id, topics } of subscribers)
        for (const [topicId, partition] of each(assignment.get(id)!)) {
          expect(topics.has(topicId)).toBe(true)
          expect(partition).toBeLessThan(all.get(topicId)!)
          expect(owners.get(`${topicId}-${partition}`)).toBeUndefined()
          owners.set(`${topicId}-${partition}`, id)
        }
      for (const [topicId, count] of all)
        if (subscribers.some(({ topics }) => topics.has(topicId)))
          for (let p = 0; p < count; p++) expect(owners.has(`${topicId}-${p}`)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('uniform is as even as single moves can make it, and changes nothing when asked again', () => {
  fc.assert(
    fc.property(world, ({ subscribers, all }) => {
      const assignment = uniform(subscribers, all)
      for (const from of subscribers)
        for (const to of subscribers)
          if (countOf(assignment.get(from.id)!) > countOf(assignment.get(to.id)!) + 1)
            for (const [topicId] of each(assignment.get(from.id)!)) expect(to.topics.has(topicId)).toBe(false)
      const again = uniform(
        subscribers.map((each) => ({ ...each, had: assignment.get(each.id)! })),
        all,
      )
      for (const { id } of subscribers)
        for (const [topicId, partition] of each(assignment.get(id)!))
          expect(includes(again.get(id)!, topicId, partition)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
