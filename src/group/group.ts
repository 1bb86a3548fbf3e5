// What the coordinator knows of a group of any kind: classic ones today, KIP-848 and share groups beside them later.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Offsets } from './offsets.ts'

export type GroupType = 'classic'

/** Who sends a commit. Generation -1 and no member: somebody outside group management. */
export type Committer = {
  readonly generation: number
  readonly memberId: string
  readonly instanceId: string | null
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
  /** Why offsets may not be deleted at all, or NONE. */
  admitOffsetDelete(): ErrorName
  /** Whether a current member reads the topic: its offsets are not to be deleted. */
  isSubscribed(topic: string): boolean
  /** Since when an offset committed at `commitAt` ages; undefined: it does not. */
  agesSince(topic: string, commitAt: number): number | undefined
  describe(): Described
  die(): void
  revive(): void
  stop(): void
}
