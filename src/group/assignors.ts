// Who shall read what: the assignors that the broker runs itself (KIP-848), under Kafka's names. Pure; told what everybody
// had, they leave with everybody as much of it as is fair.

import type { Partitions } from './partitions.ts'
import { add, countOf, each, includes } from './partitions.ts'

export type Subscriber = {
  readonly id: string
  readonly instanceId: string | null
  /** Ids of topics that exist. */
  readonly topics: ReadonlySet<string>
  /** Its part of the last target. */
  readonly had: Partitions
}

/** Topic id to the number of partitions. */
export type Topics = ReadonlyMap<string, number>

export type Assignor = (subscribers: readonly Subscriber[], topics: Topics) => Map<string, Partitions>

/** In the order in which the error message for an unknown one names them. */
export const assignors: Readonly<Record<string, Assignor>> = { uniform, range }

type Part = { readonly of: Subscriber; readonly has: Map<string, Set<number>>; count: number }

const give = (part: Part, topicId: string, partition: number): void => {
  add(part.has, topicId, partition)
  part.count++
}

const assignmentOf = (parts: readonly Part[]): Map<string, Partitions> =>
  new Map(parts.map(({ of, has }) => [of.id, has]))

const newPart = (of: Subscriber): Part => ({ of, has: new Map(), count: 0 })

// --- range

/** By instance where there is one: it outlives the member's id. */
function byName(a: Subscriber, b: Subscriber): number {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1
  const [x, y] = [a.instanceId ?? a.id, b.instanceId ?? b.id]
  return x < y ? -1 : x > y ? 1 : 0
}

/** Of each topic a run of partitions each, the first members one more: equal numbers of equal topics meet in one member. */
function range(subscribers: readonly Subscriber[], topics: Topics): Map<string, Partitions> {
  const parts = [...subscribers].sort(byName).map(newPart)
  for (const [topicId, count] of topics) {
    const readers = parts.filter(({ of }) => of.topics.has(topicId))
    let next = 0
    readers.forEach((reader, i) => {
      const size = Math.floor(count / readers.length) + (i < count % readers.length ? 1 : 0)
      for (const end = next + size; next < end; next++) give(reader, topicId, next)
    })
  }
  return assignmentOf(parts)
}

// --- uniform

/** Everybody as much as everybody else, as far as subscriptions allow, moving as little as that takes. */
function uniform(subscribers: readonly Subscriber[], topics: Topics): Map<string, Partitions> {
  const first = subscribers[0]
  if (first === undefined) return new Map()
  const isAlike = subscribers.every(({ topics: own }) => own.size === first.topics.size && isSubset(own, first.topics))
  return assignmentOf(isAlike ? shareAlike(subscribers, topics) : shareUnlike(subscribers, topics))
}

const isSubset = (part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean => {
  for (const each of part) if (!whole.has(each)) return false
  return true
}

/** What a subscriber had and may keep, in the order of topics and partitions. */
function* rightfully(of: Subscriber, topics: Topics): Generator<readonly [string, number], void, undefined> {
  for (const topicId of topics.keys()) {
    if (!of.topics.has(topicId)) continue
    const had = [...(of.had.get(topicId) ?? [])].sort((a, b) => a - b)
    for (const partition of had) if (partition < topics.get(topicId)!) yield [topicId, partition]
  }
}

function* allOf(topics: Topics, wanted: (topicId: string) => boolean): Generator<readonly [string, number]> {
  for (const [topicId, count] of topics)
    if (wanted(topicId)) for (let partition = 0; partition < count; partition++) yield [topicId, partition]
}

/** All subscribe to the same: the numbers are known before anything is given. */
function shareAlike(subscribers: readonly Subscriber[], topics: Topics): Part[] {
  const { topics: shared } = subscribers[0]!
  const all = [...allOf(topics, (topicId) => shared.has(topicId))]
  const least = Math.floor(all.length / subscribers.length)
  let extras = all.length % subscribers.length
  const taken = new Map<string, Set<number>>()
  const parts = subscribers.map(newPart)
  const take = (part: Part, topicId: string, partition: number) => {
    give(part, topicId, partition)
    add(taken, topicId, partition)
  }
  // Who had most keeps one more, as far as there are such places.
  for (const part of [...parts].sort((a, b) => countOf(b.of.had) - countOf(a.of.had)))
    for (const [topicId, partition] of rightfully(part.of, topics)) {
      if (part.count > least || (part.count === least && extras === 0)) break
      if (includes(taken, topicId, partition)) continue
      if (part.count === least) extras--
      take(part, topicId, partition)
    }
  const left = all.filter(([topicId, partition]) => !includes(taken, topicId, partition)).values()
  const fill = (part: Part, upTo: number) => {
    while (part.count < upTo) {
      const { value, done } = left.next()
      if (done) return
      take(part, ...value)
    }
  }
  for (const part of parts) fill(part, least)
  for (const part of parts) if (part.count === least) fill(part, least + 1)
  return parts
}

/** Subscriptions differ: what is free goes to the reader with least, then single partitions move from much to little. */
function shareUnlike(subscribers: readonly Subscriber[], topics: Topics): Part[] {
  const parts = subscribers.map(newPart)
  const readers = new Map([...topics.keys()].map((topicId) => [topicId, parts.filter((p) => p.of.topics.has(topicId))]))
  const taken = new Map<string, Set<number>>()
  for (const part of parts)
    for (const [topicId, partition] of rightfully(part.of, topics)) {
      if (includes(taken, topicId, partition)) continue
      give(part, topicId, partition)
      add(taken, topicId, partition)
    }
  // Topics with few readers leave little choice: they come first.
  const byChoice = [...topics.keys()].sort((a, b) => readers.get(a)!.length - readers.get(b)!.length)
  for (const topicId of byChoice)
    for (let partition = 0; partition < topics.get(topicId)!; partition++) {
      const poorest = leastOf(readers.get(topicId)!)
      if (poorest !== undefined && !includes(taken, topicId, partition)) give(poorest, topicId, partition)
    }
  while (parts.some((part) => relieve(part, readers)));
  return parts
}

const leastOf = (parts: readonly Part[]): Part | undefined =>
  parts.reduce<Part | undefined>(
    (least, part) => (least === undefined || part.count < least.count ? part : least),
    undefined,
  )

/** Moves single partitions, the last first, to readers that have at least two fewer. */
function relieve(part: Part, readers: ReadonlyMap<string, readonly Part[]>): boolean {
  let moved = false
  for (const [topicId, partition] of [...each(part.has)].reverse()) {
    const poorest = leastOf(readers.get(topicId)!)!
    if (poorest.count > part.count - 2) continue
    part.has.get(topicId)!.delete(partition)
    part.count--
    give(poorest, topicId, partition)
    moved = true
  }
  return moved
}
