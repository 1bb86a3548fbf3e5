// What the coordinator knows of a group of any type. A type consists of
//   a state     (records in, memory out; the function that replay uses)  loading.ts collects one for each group id
//   a group     (this interface, over the state)                         roster.ts makes it of what was loaded
//   requests    (finds the group in the roster, decides, answers)        a field of Groups in coordinator.ts
// Changes go through Roster.decide: the decision sees everything earlier, and memory changes after the log.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Offsets } from './offsets.ts'
import type { OffsetsRecord } from './offsets-log.ts'

export type GroupType = 'classic' | 'consumer' | 'share'

/** Who sends a commit. Generation -1 and no member: somebody outside group management. */
export type Committer = {
  readonly generation: number
  readonly memberId: string
  readonly instanceId: string | null
  /** False: the request is from before members had epochs (KIP-848). */
  readonly knowsEpochs?: boolean
  /** What is committed, where epochs are told apart by partition (KIP-1251). */
  readonly partitions?: readonly { readonly topicId: string | null; readonly partition: number }[]
}

export type DescribedMember = {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly memberMetadata: Buffer
  readonly memberAssignment: Buffer
}

export type Described = {
  readonly state: string
  readonly protocolType: string
  readonly protocol: string
  readonly members: readonly DescribedMember[]
}

export interface Group {
  readonly id: string
  readonly type: GroupType
  readonly state: string
  /** Empty for a group that only commits offsets. */
  readonly protocolType: string
  readonly offsets: Offsets
  /** Without members, and not being removed. */
  readonly isEmpty: boolean
  /** No members, no one expected, no offsets, no history: not worth remembering. */
  readonly isBlank: boolean
  /** Why this commit is refused, or NONE. A member whose commit is taken has shown that it lives. */
  admitCommit(committer: Committer): ErrorName
  /** As admitCommit, for a commit that counts once its transaction does (KIP-447): a producer need be no member. */
  admitTransactionalCommit(committer: Committer): ErrorName
  /** Why a member of this name and epoch is told no offsets, or NONE. Left out: everybody is told. */
  admitFetch?(member: Pick<Committer, 'memberId' | 'generation'>): ErrorName
  /** Why offsets may not be deleted at all, or NONE. */
  admitOffsetDelete(): ErrorName
  /** Whether a current member reads the topic: its offsets are not to be deleted. */
  isSubscribed(topic: string): boolean
  /** Since when an offset committed at `commitAt` ages; undefined: it does not. */
  agesSince(topic: string, commitAt: number): number | undefined
  /** Removes the group, but not its offsets, from the log. */
  tombstones(): readonly OffsetsRecord[]
  die(): void
  revive(): void
  stop(): void
}
