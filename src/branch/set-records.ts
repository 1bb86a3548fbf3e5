// What gives the branch sets again in a metadata log that is written anew: their members, and what was said about them.

import type { BranchSet } from './lineage.ts'
import type { LineageRecord } from './lineage-records.ts'

export function recordsOfSets(sets: Iterable<BranchSet>): LineageRecord[] {
  const all = [...sets]
  const members = all.flatMap(({ name: set, members }) =>
    [...members].map(([inside, id]): LineageRecord => ({ v: 1, type: 'set-member', set, inside, id })),
  )
  const said = all.flatMap(({ name: set, ports, stays }): LineageRecord[] => [
    ...(stays === undefined ? [] : [{ v: 1, type: 'set-stays', set } as const]),
    ...(ports === undefined ? [] : [{ v: 1, type: 'set-listener', set, ports } as const]),
  ])
  return [...members, ...said]
}
