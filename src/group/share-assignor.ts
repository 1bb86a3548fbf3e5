// The assignor `simple` of share groups: each partition to as many members as it takes for all to have work, as evenly
// as can be, and nobody is given something else than it has without need.

import type { Partitions } from './partitions.ts'
import { add, each } from './partitions.ts'

export type Sharer = {
  readonly id: string
  /** Ids of the topics it reads. */
  readonly topics: ReadonlySet<string>
  readonly had: Partitions
}

type Place = { readonly topicId: string; readonly partition: number; readonly readers: Set<string> }

/** `topics`: the partitions that may be assigned. */
export function assignSimply(sharers: readonly Sharer[], topics: Partitions): Map<string, Partitions> {
  const targets = new Map(sharers.map(({ id }) => [id, new Map<string, Set<number>>()]))
  const counts = new Map(sharers.map(({ id }) => [id, 0]))
  const places = [...each(topics)].map(([topicId, partition]): Place => ({ topicId, partition, readers: new Set() }))
  const wanted = sharing(sharers, topics)
  const demand = places.reduce((sum, { topicId }) => sum + (wanted.get(topicId) ?? 0), 0)
  const most = Math.ceil(demand / Math.max(1, sharers.length))

  const give = (id: string, place: Place) => {
    place.readers.add(id)
    add(targets.get(id)!, place.topicId, place.partition)
    counts.set(id, counts.get(id)! + 1)
  }
  for (const place of places)
    for (const { id, topics: read, had } of sharers) {
      const hasRoom = place.readers.size < wanted.get(place.topicId)! && counts.get(id)! < most
      if (hasRoom && read.has(place.topicId) && had.get(place.topicId)?.has(place.partition)) give(id, place)
    }
  for (const place of places)
    while (place.readers.size < (wanted.get(place.topicId) ?? 0)) {
      const idlest = leastBusy(sharers, counts, place)
      if (idlest === undefined) break
      give(idlest.id, place)
    }
  level(sharers, places, counts, targets)
  return targets
}

/** By topic: how many members read each of its partitions. */
function sharing(sharers: readonly Sharer[], topics: Partitions): Map<string, number> {
  const partitionCount = [...topics.values()].reduce((sum, { size }) => sum + size, 0)
  const all = sharers.every(({ topics: read }) => [...topics.keys()].every((topicId) => read.has(topicId)))
  const of = (topicId: string, size: number): number => {
    if (all) return Math.max(1, Math.ceil(sharers.length / partitionCount))
    const readers = sharers.filter(({ topics: read }) => read.has(topicId)).length
    return readers === 0 ? 0 : Math.max(1, Math.ceil(readers / size))
  }
  return new Map([...topics].map(([topicId, { size }]) => [topicId, of(topicId, size)]))
}

function leastBusy(sharers: readonly Sharer[], counts: ReadonlyMap<string, number>, place: Place): Sharer | undefined {
  let idlest: Sharer | undefined
  for (const sharer of sharers) {
    if (!sharer.topics.has(place.topicId) || place.readers.has(sharer.id)) continue
    if (idlest === undefined || counts.get(sharer.id)! < counts.get(idlest.id)!) idlest = sharer
  }
  return idlest
}

/** Who came last may have found too little: the busiest hand over until nobody has two more than another could take. */
function level(
  sharers: readonly Sharer[],
  places: readonly Place[],
  counts: Map<string, number>,
  targets: ReadonlyMap<string, Map<string, Set<number>>>,
): void {
  for (const place of places)
    for (const id of [...place.readers]) {
      const idlest = leastBusy(sharers, counts, place)
      if (idlest === undefined || counts.get(id)! - counts.get(idlest.id)! < 2) continue
      place.readers.delete(id)
      targets.get(id)!.get(place.topicId)!.delete(place.partition)
      counts.set(id, counts.get(id)! - 1)
      place.readers.add(idlest.id)
      add(targets.get(idlest.id)!, place.topicId, place.partition)
      counts.set(idlest.id, counts.get(idlest.id)! + 1)
    }
}
