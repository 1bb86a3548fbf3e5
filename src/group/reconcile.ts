// How one member gets from what it has to what it shall have (KIP-848): first it gives back, then it comes to the new
// epoch, then it is given what is free. So a partition never has two readers.

import type { ConsumerMember, MemberState } from './consumer-state.ts'
import type { Partitions } from './partitions.ts'
import { common, countOf, covers, each, includes, noPartitions, union, where, without } from './partitions.ts'

/** What changes in a member. */
export type Step = Pick<ConsumerMember, 'epoch' | 'previousEpoch' | 'state' | 'assigned' | 'revoking' | 'since'>

type Aim = {
  readonly epoch: number
  readonly target: Partitions
  /** What the member says it has; null: it does not say. */
  readonly owned: Partitions | null
  /** Topics that the member has just said it wants; undefined: it wants what it did before. */
  readonly wanted: ReadonlySet<string> | undefined
  /** Who has a partition, as far as anybody does. */
  owner(topicId: string, partition: number): string | undefined
}

/** The member's next step; the member itself where there is none to take. */
export function reconcile(member: ConsumerMember, aim: Aim): Step {
  switch (member.state) {
    case 'stable':
      return member.epoch === aim.epoch && covers(aim.target, member.assigned) ? member : next(member, aim)
    case 'unrevoked':
      return hasLetGo(member.revoking, aim.owned)
        ? next({ ...member, revoking: noPartitions }, aim)
        : retreat(member, aim)
    case 'unreleased':
      return next(member, aim)
  }
}

const hasLetGo = (revoking: Partitions, owned: Partitions | null): boolean =>
  owned !== null && countOf(common(revoking, owned)) === 0

/** Still giving back: only what it does not want any more goes besides. What else its target has lost it keeps until then. */
function retreat(member: ConsumerMember, { wanted }: Aim): Step {
  if (wanted === undefined) return member
  const unwanted = where(member.assigned, (topicId) => !wanted.has(topicId))
  if (countOf(unwanted) === 0) return member
  const revoking = union(member.revoking, unwanted)
  return { ...member, previousEpoch: member.epoch, assigned: without(member.assigned, unwanted), revoking }
}

function next(member: ConsumerMember, { epoch, target, owned, owner }: Aim): Step {
  const kept = common(member.assigned, target)
  const lost = without(member.assigned, target)
  const mustLetGo = countOf(lost) > 0 && (owned === null || countOf(common(lost, owned)) > 0)
  const previousEpoch = member.epoch
  if (mustLetGo) return { ...member, previousEpoch, state: 'unrevoked', assigned: kept, revoking: lost }
  const wanted = without(target, kept)
  const free = where(wanted, (topicId, partition) => {
    const other = owner(topicId, partition)
    return other === undefined || other === member.id
  })
  const state: MemberState = countOf(free) < countOf(wanted) ? 'unreleased' : 'stable'
  // Still waiting: nothing to write down.
  if (state === member.state && epoch === member.epoch && countOf(free) + countOf(lost) === 0) return member
  const assigned = countOf(free) === 0 ? kept : union(kept, free)
  return { epoch, previousEpoch, state, assigned, revoking: noPartitions, since: sinceOf(member, assigned, epoch) }
}

function sinceOf({ since, assigned: before }: ConsumerMember, assigned: Partitions, epoch: number): Step['since'] {
  const epochs = new Map<string, Map<number, number>>()
  for (const [topicId, partition] of each(assigned)) {
    const of = epochs.get(topicId) ?? new Map<number, number>()
    const at = includes(before, topicId, partition) ? (since.get(topicId)?.get(partition) ?? epoch) : epoch
    epochs.set(topicId, of.set(partition, at))
  }
  return epochs
}
