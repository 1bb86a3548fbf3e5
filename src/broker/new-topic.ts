// A topic that somebody wants.

import type { MemberRecord, Membership } from '../branch/lineage.ts'

export type NewTopic = {
  name: string
  /** -1: as `num.partitions` says. */
  partitions: number
  configs: Readonly<Record<string, string | null>>
  /** Absent or -1: as `default.replication.factor` says, and never more than there are nodes. */
  replicationFactor?: number
  /** Replicas of each partition, where somebody has chosen them. */
  replicas?: readonly (readonly number[])[]
  /** The set in which it is made, and what it is called there. */
  membership?: Membership
}

/** That the topics made of these are members of their sets. */
export const memberships = (topics: readonly NewTopic[], made: readonly { readonly id: string }[]): MemberRecord[] =>
  topics.flatMap(({ membership }, i) =>
    membership === undefined ? [] : [{ v: 1, type: 'set-member', ...membership, id: made[i]!.id }],
  )
