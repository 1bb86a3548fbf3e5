// Where the groups of a parent stand on its branch (`branch.groups`): committed before the branch can be seen, so that
// nobody who subscribes to it begins elsewhere.

import type { GroupRule } from '../branch/lineage.ts'
import type { Commit } from '../group/offset-requests.ts'
import type { Fork } from '../log/fork.ts'
import type { Cut, Rooms } from './forking.ts'

/** One for each group that has committed something for the parent. They reject with StorageError. */
export function commitsOf(
  { id: topicId, plan: { parent, groups: rule, asked }, forks }: Cut,
  set: string | undefined,
  { groups, broker }: Rooms,
): Promise<void>[] {
  if (rule === 'none') return []
  const byGroup = new Map<string, Commit[]>()
  for (const { groupId, partition, committed } of groups.offsets.ofTopic(parent.name, parent.id)) {
    const name = groupOnBranch(groupId, set, broker.lineage.membership(parent.id)?.set)
    const fork = forks[partition]
    if (fork === undefined || name === undefined) continue
    const offset = positionOn(rule, committed.offset, fork.inherited.offset)
    const isKept = offset === committed.offset
    const leaderEpoch = isKept ? committed.leaderEpoch : epochAt(fork, offset - 1)
    const commits = byGroup.get(name) ?? []
    commits.push({ topic: asked.to, topicId, partition, offset, leaderEpoch, metadata: committed.metadata })
    byGroup.set(name, commits)
  }
  return [...byGroup].map(([groupId, commits]) => groups.offsets.plant(groupId, commits))
}

const epochAt = ({ inherited }: Fork, offset: number): number =>
  inherited.epochs.findLast(([, start]) => start <= offset)?.[0] ?? -1

const positionOn = (rule: GroupRule, committed: number, forkPoint: number): number =>
  rule === 'copy' ? Math.min(committed, forkPoint) : forkPoint

/** The group as it is called on the branch; undefined for one that never comes there. */
function groupOnBranch(groupId: string, _set: string | undefined, _parentSet: string | undefined): string | undefined {
  return groupId
}
