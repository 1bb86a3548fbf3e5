// Where the groups of a parent stand on its branch (`branch.groups`): committed before the branch can be seen, so that
// nobody who subscribes to it begins elsewhere. What takes the place of another topic takes the place of commits too, and must
// be true first.

import type { GroupRule, PlantedCommit, PlantedShare } from '../branch/lineage.ts'
import { groupInside, insideOf } from '../branch/set-names.ts'
import type { Groups } from '../group/coordinator.ts'
import type { Commit } from '../group/offset-requests.ts'
import type { Fork } from '../log/fork.ts'
import type { Cut, Rooms } from './forking.ts'

/** One for each group that has committed something for the parent, and partition. */
export function commitsOf(
  { id: topicId, plan: { parent, groups: rule, asked }, forks }: Cut,
  set: string | undefined,
  { groups, broker }: Rooms,
): PlantedCommit[] {
  if (rule === 'none') return []
  const parentSet = broker.lineage.membership(parent.id)?.set
  const planted: PlantedCommit[] = []
  for (const { groupId, partition, committed } of groups.offsets.ofTopic(parent.name, parent.id)) {
    const fork = forks[partition]
    if (fork === undefined) continue
    const offset = positionOn(rule, committed.offset, fork.inherited.offset)
    const isKept = offset === committed.offset
    const leaderEpoch = isKept ? committed.leaderEpoch : epochAt(fork, offset - 1)
    const commit = { topic: asked.to, topicId, partition, offset, leaderEpoch, metadata: committed.metadata }
    for (const group of namesOnBranch(groupId, set, parentSet)) planted.push({ group, ...commit })
  }
  return planted
}

/** The same where nothing is committed yet. */
export async function plantMissing(commits: readonly PlantedCommit[], groups: Groups): Promise<void> {
  const isMissing = ({ group, topic, topicId, partition }: PlantedCommit): boolean => {
    const all = [...groups.offsets.ofTopic(topic, topicId)]
    return !all.some(({ groupId, partition: at }) => groupId === group && at === partition)
  }
  if (commits.length > 0) await plant(commits.filter(isMissing), groups)
}

/** Rejects with StorageError. */
export async function plant(commits: readonly PlantedCommit[], { offsets }: Groups): Promise<void> {
  const byGroup = new Map<string, Commit[]>()
  for (const { group, ...commit } of commits) {
    const own = byGroup.get(group)
    if (own === undefined) byGroup.set(group, [commit])
    else own.push(commit)
  }
  await Promise.all([...byGroup].map(([group, own]) => offsets.plant(group, own)))
}

/** One for each share group that has begun to read the parent, and partition: a queue goes on where it was. */
export function sharesOf(
  { id: topicId, plan: { parent, groups: rule }, forks }: Cut,
  set: string | undefined,
  { groups, broker }: Rooms,
): PlantedShare[] {
  if (rule === 'none') return []
  const parentSet = broker.lineage.membership(parent.id)?.set
  return [...groups.share.ofTopic(parent.id)].flatMap((share) => {
    const fork = forks[share.partition]
    if (fork === undefined) return []
    const { offset } = fork.inherited
    const onBranch = rule === 'copy' ? shareUpTo(share, offset) : { ...share, startOffset: offset, ranges: [] }
    return namesOnBranch(share.group, set, parentSet).map((group) => ({ ...onBranch, group, topicId }))
  })
}

/** How far a group has come in what lies below an offset. */
export function shareUpTo(share: PlantedShare, end: number): PlantedShare {
  const below = share.ranges.filter(([first]) => first < end)
  const ranges = below.map(([first, last, state, count]) => [first, Math.min(last, end - 1), state, count] as const)
  return { ...share, startOffset: Math.min(share.startOffset, end), ranges }
}

/** Rejects with StorageError. */
export async function plantShares(shares: readonly PlantedShare[], { share }: Groups): Promise<void> {
  await Promise.all(shares.map((one) => share.plant(one)))
}

const epochAt = ({ inherited }: Fork, offset: number): number =>
  inherited.epochs.findLast(([, start]) => start <= offset)?.[0] ?? -1

const positionOn = (rule: GroupRule, committed: number, forkPoint: number): number =>
  rule === 'copy' ? Math.min(committed, forkPoint) : forkPoint

/**
 * How a group is called that reads the branch: by the same name from outside, for those who follow a topic and its branches;
 * and in the set by the name that an application has written into it, which it bore in the parent's set or in the root.
 */
function namesOnBranch(groupId: string, set: string | undefined, parentSet: string | undefined): string[] {
  const inside = insideOf(groupId)
  const names = inside === undefined ? [groupId] : []
  if (set !== undefined && inside?.set === parentSet) names.push(groupInside(set, inside?.id ?? groupId))
  return names
}
