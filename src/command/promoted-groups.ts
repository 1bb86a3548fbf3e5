// Where groups stand after a promotion. Under the name that is taken a group stands where it stood on the branch, else where
// it stood on the other topic as far as both are the same; where it stood on that one goes with that one.

import { commonEnd } from '../branch/heritage.ts'
import type { PlantedCommit, PlantedShare } from '../branch/lineage.ts'
import { groupInside, insideOf } from '../branch/set-names.ts'
import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { shareUpTo } from './fork-groups.ts'
import type { Rooms } from './forking.ts'

/** A topic, the name that it takes, and the topic that gives the name up. */
export type Promotion = {
  readonly topic: Topic
  readonly name: string
  readonly over?: { topic: Topic; name: string }
  /** The set that it is a member of from then on; with `over` it is that one's. */
  readonly joins?: string
}

/** `set`: the one that ends with the promotion. */
export function promotedCommits(
  { topic, name, over }: Promotion,
  set: string | undefined,
  { broker, groups }: Rooms,
): PlantedCommit[] {
  const commits = new Map<string, PlantedCommit>()
  const note = (commit: PlantedCommit) => commits.set(`${commit.partition} ${commit.topic} ${commit.group}`, commit)
  if (over !== undefined) {
    for (const { groupId: group, partition, committed } of groups.offsets.ofTopic(over.topic.name, over.topic.id)) {
      const { offset, leaderEpoch, metadata } = committed
      note({ group, topic: over.name, topicId: over.topic.id, partition, offset, leaderEpoch, metadata })
      const { epochs } = topic.partitions[partition]!.log
      const kept = Math.min(offset, endOfBoth(topic, over.topic, partition, broker))
      const epoch = kept === offset ? leaderEpoch : epochs.epochAt(kept - 1)
      note({ group, topic: name, topicId: topic.id, partition, offset: kept, leaderEpoch: epoch, metadata })
    }
  }
  const around = over && broker.lineage.membership(over.topic.id)?.set
  for (const { groupId, partition, committed } of setLast(groups.offsets.ofTopic(topic.name, topic.id))) {
    const group = nameAround(groupId, set, around)
    if (group === undefined) continue
    const { offset, leaderEpoch, metadata } = committed
    note({ group, topic: name, topicId: topic.id, partition, offset, leaderEpoch, metadata })
  }
  return [...commits.values()]
}

/** The same of share groups. What these have done is kept by the topic's id: it goes along, and only newcomers are planted. */
export function promotedShares(
  { topic, over }: Promotion,
  set: string | undefined,
  { broker, groups }: Rooms,
): PlantedShare[] {
  const shares = new Map<string, PlantedShare>()
  const placeOf = (group: string, partition: number) => `${partition} ${group}`
  for (const share of over === undefined ? [] : groups.share.ofTopic(over.topic.id)) {
    const { group, partition } = share
    const kept = shareUpTo(share, endOfBoth(topic, over!.topic, partition, broker))
    shares.set(placeOf(group, partition), { ...kept, topicId: topic.id })
  }
  const around = over && broker.lineage.membership(over.topic.id)?.set
  const own = [...groups.share.ofTopic(topic.id)].map((share) => ({ ...share, groupId: share.group }))
  for (const { groupId, ...share } of setLast(own)) {
    const group = nameAround(groupId, set, around)
    if (group === undefined) continue
    const place = placeOf(group, share.partition)
    if (group === groupId) shares.delete(place)
    else shares.set(place, { ...share, group })
  }
  return [...shares.values()]
}

/** Those of the set last: the application that had entered it is the one that goes on. */
const setLast = <T extends { readonly groupId: string }>(all: Iterable<T>): T[] =>
  [...all].sort((a, b) => Number(insideOf(a.groupId) !== undefined) - Number(insideOf(b.groupId) !== undefined))

/** Below it both show the same records. */
function endOfBoth(topic: Topic, over: Topic, partition: number, { lineage }: Broker): number {
  const ends = [topic, over].map(({ partitions }) => partitions[partition]?.logEndOffset ?? 0)
  const [one, other] = [lineage.knowledge(topic.id, partition), lineage.knowledge(over.id, partition)]
  return commonEnd(one, other, Math.min(...ends))
}

/** What a group of a branch is called where that takes a name: in a set (`around`) if the topic that had it is in one. */
function nameAround(groupId: string, set: string | undefined, around: string | undefined): string | undefined {
  const inside = insideOf(groupId)
  if (inside === undefined || inside.set === around) return groupId
  if (inside.set !== set) return undefined
  return around === undefined ? inside.id : groupInside(around, inside.id)
}
