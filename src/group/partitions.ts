// Sets of partitions, as groups reckon with them: topic id to partition numbers. Values: what is returned is new.

export type Partitions = ReadonlyMap<string, ReadonlySet<number>>

/** As requests, answers and records carry them. */
export type TopicPartitions = { readonly topicId: string; readonly partitions: readonly number[] }

export const noPartitions: Partitions = new Map()

export function partitionsOf(topics: readonly TopicPartitions[]): Partitions {
  const all = new Map<string, Set<number>>()
  for (const { topicId, partitions } of topics) for (const partition of partitions) add(all, topicId, partition)
  return all
}

export const topicPartitionsOf = (all: Partitions): { topicId: string; partitions: number[] }[] =>
  [...all]
    .filter(([, { size }]) => size > 0)
    .map(([topicId, partitions]) => ({ topicId, partitions: [...partitions].sort((a, b) => a - b) }))

export function add(all: Map<string, Set<number>>, topicId: string, partition: number): void {
  const partitions = all.get(topicId)
  if (partitions === undefined) all.set(topicId, new Set([partition]))
  else partitions.add(partition)
}

export function* each(all: Partitions): Generator<readonly [topicId: string, partition: number], void, undefined> {
  for (const [topicId, partitions] of all) for (const partition of partitions) yield [topicId, partition]
}

export const includes = (all: Partitions, topicId: string, partition: number): boolean =>
  all.get(topicId)?.has(partition) === true

export function where(all: Partitions, holds: (topicId: string, partition: number) => boolean): Partitions {
  const kept = new Map<string, Set<number>>()
  for (const [topicId, partition] of each(all)) if (holds(topicId, partition)) add(kept, topicId, partition)
  return kept
}

export const common = (a: Partitions, b: Partitions): Partitions => where(a, (topicId, p) => includes(b, topicId, p))

export const without = (a: Partitions, b: Partitions): Partitions => where(a, (topicId, p) => !includes(b, topicId, p))

export function union(a: Partitions, b: Partitions): Partitions {
  const all = new Map<string, Set<number>>([...a].map(([topicId, partitions]) => [topicId, new Set(partitions)]))
  for (const [topicId, partition] of each(b)) add(all, topicId, partition)
  return all
}

export function countOf(all: Partitions): number {
  let count = 0
  for (const partitions of all.values()) count += partitions.size
  return count
}

/** Whether everything in `part` is in `whole`. */
export function covers(whole: Partitions, part: Partitions): boolean {
  for (const [topicId, partition] of each(part)) if (!includes(whole, topicId, partition)) return false
  return true
}

export const same = (a: Partitions, b: Partitions): boolean => countOf(a) === countOf(b) && covers(a, b)
