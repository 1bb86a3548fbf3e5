// Records of a branch that stay though their key has a newer one, for its parent knows them: a merge holds what both sides have made
// of a key against the newest that both know, and a branch is where that is found (extensions §1.3).

import type { Pins } from '../log/compaction.ts'
import type { Lineage } from './lineage.ts'

/** Undefined where nobody compares with anything. */
export function pinsOf(lineage: Lineage, topicId: string, partition: number): Pins | undefined {
  const branch = lineage.branches.get(topicId)
  if (branch === undefined) return undefined
  const own = lineage.knowledge(topicId, partition)
  const parent = lineage.knowledge(branch.fromId, partition)
  const below = Math.max(parent.known[topicId] ?? 0, own.ranges.end())
  if (below === 0) return undefined
  return {
    below,
    counts: (offset, headers) => {
      if (parent.knows({ branch: own.home(offset), offset })) return true
      // Brought by a merge of the parent's own records, or of what it has from elsewhere.
      return own.isMerged(offset) && parent.knows(own.originFor(parent.branch, offset, headers()))
    },
  }
}
