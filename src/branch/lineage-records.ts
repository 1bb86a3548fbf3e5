// The facts of branches, as the metadata log holds them.

import type { Inherited } from '../log/inherited.ts'
import type { Span } from './knowledge.ts'
import type { MergeBeginRecord, MergeEndRecord, MergeRecord } from './merge-records.ts'
import type { RangesTold } from './merged-ranges.ts'
import type { Vector } from './vector.ts'

/** What becomes of the parent's groups: nothing, min(commit, fork point), or the fork point. */
export const groupRules = ['none', 'copy', 'fork'] as const
export type GroupRule = (typeof groupRules)[number]

/** Which of the offsets below the fork merges wrote is said as `Knowledge.asOf` does. */
export type ForkedPartition = Inherited &
  RangesTold & {
    /** Of others, at the fork: what the parent knew of them below the fork point, and the parent itself up to there. */
    readonly known: Vector
    /** Where each offset below the fork was first written. */
    readonly spans?: readonly Span[]
    /** Of these branches the parent had perhaps no copies of what it knew, from the offset on. */
    readonly unheld?: Vector
  }

export type ForkedTopic = {
  readonly id: string
  /** As it is stored; inside its set it bears `inside`. */
  readonly name: string
  readonly inside?: string
  readonly from: string
  readonly fromId: string
  readonly groups: GroupRule
  readonly partitions: readonly ForkedPartition[]
  readonly sharedBytes: number
  readonly copiedBytes: number
}

/** One cut: all its topics exist, or none. */
export type ForkRecord = {
  readonly v: 1
  readonly type: 'fork'
  /** Of the event in `__branches`. */
  readonly id: string
  /** Broker time, ms. */
  readonly at: number
  /** The principal who asked. */
  readonly by: string
  /** Offset of the command that asked for it, where one did. */
  readonly command?: number
  readonly set?: string
  /** The topics took the places of branches that were called as they are. */
  readonly isReset?: boolean
  /** Of a reset: where groups stand from now on. Written again by a start that has to tell of it. */
  readonly commits?: readonly PlantedCommit[]
  readonly topics: readonly ForkedTopic[]
}

/** A topic that was made inside a set, by whoever had entered it. */
export type MemberRecord = {
  readonly v: 1
  readonly type: 'set-member'
  readonly set: string
  readonly inside: string
  readonly id: string
}

/** A topic is no member any more. */
export type LeftRecord = { readonly v: 1; readonly type: 'set-left'; readonly set: string; readonly id: string }

/** A set is no more, whatever members it had. */
export type SetRemovedRecord = { readonly v: 1; readonly type: 'set-removed'; readonly set: string }

/** From here on a set is there without members too: who deletes all topics inside, to make them again, is still inside. */
export type SetStaysRecord = { readonly v: 1; readonly type: 'set-stays'; readonly set: string }

/** Where whoever comes by a port of its own enters a set: one port for each node of the cluster, lowest node first. */
export type SetListenerRecord = {
  readonly v: 1
  readonly type: 'set-listener'
  readonly set: string
  readonly ports: readonly number[]
}

/** Branches go; which, is said once more by the records of the topics. Kept until the event is told. */
export type DeletedRecord = {
  readonly v: 1
  readonly type: 'branches-deleted'
  /** Of the event in `__branches`. */
  readonly id: string
  readonly at: number
  readonly by: string
  /** Whose whole set it was. */
  readonly set?: string
  /** Offset of the command that asked for it. */
  readonly command?: number
  readonly topics: readonly (Pick<ForkedTopic, 'id' | 'name'> & Partial<Pick<ForkedTopic, 'from' | 'fromId'>>)[]
}

/** What a group has committed for a topic under one of its names. */
export type PlantedCommit = {
  readonly group: string
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/** How far a share group has come in a partition: below the start all is done, beyond it `ranges` tell of what was handed out. */
export type PlantedShare = {
  readonly group: string
  readonly topicId: string
  readonly partition: number
  readonly startOffset: number
  readonly ranges: readonly (readonly [first: number, last: number, deliveryState: number, deliveryCount: number])[]
}

/** Branches take the names of others; those go on living under other ones. Topic ids stay with the records. */
export type PromoteRecord = {
  readonly v: 1
  readonly type: 'promote'
  readonly id: string
  readonly at: number
  readonly by: string
  readonly command?: number
  /** Ends with it. */
  readonly set?: string
  readonly topics: readonly {
    readonly id: string
    readonly name: string
    readonly was: string
    /** Whose name it took, and what that one is called now. */
    readonly over?: { readonly id: string; readonly name: string }
  }[]
  /** Where groups stand from now on. Written again by a start that does not find the end of it. */
  readonly commits: readonly PlantedCommit[]
  /** The same of share groups. */
  readonly shares?: readonly PlantedShare[]
}

/** The commits of a promotion are written, and its event is told. */
export type PromotedRecord = { readonly v: 1; readonly type: 'promoted'; readonly id: string }

/** Of a metadata log that was written anew: which topic bears the name that another had. */
export type SuccessorRecord = { readonly v: 1; readonly type: 'successor'; readonly id: string; readonly by: string }

/** Whether a topic counts as one of its own, where a promotion has made that another than it was made. */
export type StandingRecord = {
  readonly v: 1
  readonly type: 'standing'
  readonly id: string
  readonly standsForItself: boolean
}

/** A power cut took records `[from, to)` that a branch shared with its parent. */
export type LostRecord = {
  readonly v: 1
  readonly type: 'lost'
  /** Of the event in `__branches`. */
  readonly id: string
  readonly at: number
  /** Nobody. */
  readonly by: string
  readonly command?: number
  readonly topicId: string
  readonly name: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

export type LineageRecord =
  | LostRecord
  | ForkRecord
  | MemberRecord
  | LeftRecord
  | SetRemovedRecord
  | DeletedRecord
  | SetStaysRecord
  | SetListenerRecord
  | MergeBeginRecord
  | MergeRecord
  | MergeEndRecord
  | PromoteRecord
  | PromotedRecord
  | SuccessorRecord
  | StandingRecord
