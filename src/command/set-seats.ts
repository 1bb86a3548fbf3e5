// Which members of a set stand for topics around it, where a whole set is merged, promoted or made anew. By the name in there and
// not by lineage: what has taken a member's name inside is what everybody in the set has meant by that name since.

import type { Branch, Lineage } from '../branch/lineage.ts'

/** `seat`: the branch that was forked of the topic around, which the member may have put aside. */
export type Seated = { readonly id: string; readonly seat: Branch }

export function seatsOf(set: string, lineage: Lineage): Seated[] {
  const members = lineage.sets.get(set)?.members ?? new Map<string, string>()
  const seated = new Map<string, Branch>()
  for (const id of members.values()) {
    const seat = lineage.branches.get(id)
    // What was forked from another member, and has not taken its name, stands for nothing around.
    if (seat === undefined || lineage.membership(seat.fromId)?.set === set) continue
    const named = members.get(seat.inside ?? '')
    // A topic that was only made under that name has nothing to do with what lies around.
    const isTaken = named !== undefined && named !== id && lineage.areRelated(named, seat.fromId)
    if (!isTaken) seated.set(id, seat)
    else if (!seated.has(named)) seated.set(named, seat)
  }
  return [...seated].map(([id, seat]) => ({ id, seat }))
}
