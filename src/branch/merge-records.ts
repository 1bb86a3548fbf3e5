// Merges as facts of the metadata log: one that began, and how it ended. What a merge wrote is true by its transaction; these
// say what it means. A resolution and a revert are merges that bring nothing from another branch.

import type { Inherited } from '../log/inherited.ts'
import type { ConflictRule, Strategy } from './commands.ts'
import type { Span } from './knowledge.ts'
import type { MergedRange } from './merged-ranges.ts'
import type { Vector } from './vector.ts'

export type MergedPartition = {
  readonly partition: number
  /** Range of the source that was looked at: `[from, to)`. */
  readonly from?: number
  readonly to?: number
  /** What was written into the target, both included; absent where nothing was. */
  readonly first?: number
  readonly last?: number
  /** What the target knows after it, of all branches. */
  readonly known: Vector
  /** The target's log end after it; where it has only begun, before it. */
  readonly end: number
  /** Of what it wrote, origins that `known` does not cover. */
  readonly loose?: Vector
  /** Of some keys the target has a value of its own, and no copy of what it knows now of the source. */
  readonly isWeighed?: true
  /** Of a fast-forward: where the target's records were first written from now on, and which of the new ones merges wrote. */
  readonly spans?: readonly Span[]
  readonly merged?: readonly MergedRange[]
}

/** The target's files are those of the source from now on, put together in a folder that takes the place of its own. */
export type Forwarded = { readonly folder: string; readonly partitions: readonly Inherited[] }

export type MergedTopic = {
  /** The source; absent where a resolution or a revert has none. */
  readonly from?: string
  readonly fromId?: string
  readonly into: string
  readonly intoId: string
  readonly partitions: readonly MergedPartition[]
  readonly forwarded?: Forwarded
}

export type MergeCounts = {
  /** Records. */
  readonly written: number
  /** Keys that are the same on both sides, though both have changed. */
  readonly same: number
  /** Keys that changed in the source and were left alone. */
  readonly skipped: number
  /** Keys that changed on both sides, whatever became of them. */
  readonly conflicts: number
}

type Common = {
  readonly v: 1
  /** Of the command, and of the events in `__branches`. */
  readonly id: string
  /** Broker time, ms. */
  readonly at: number
  readonly by: string
  readonly op: 'merge' | 'resolve' | 'revert'
  readonly set?: string
  readonly strategy?: Strategy
  readonly onConflict?: ConflictRule
  /** `parked`: conflicts stand open. */
  readonly status: 'committed' | 'parked' | 'done'
  readonly topics: readonly MergedTopic[]
  readonly counts: MergeCounts
}

/** Durable before anything is written: what a start has to know of a transaction that a kill interrupted. */
export type MergeBeginRecord = Common & {
  readonly type: 'merge-begin'
  readonly producerId: number
  readonly producerEpoch: number
}

export type MergeRecord = Common & {
  readonly type: 'merge'
  /** How long the targets' producers waited; absent where a start has completed it. */
  readonly gateMs?: number
}

/** It never came to be. */
export type MergeEndRecord = { readonly v: 1; readonly type: 'merge-aborted'; readonly id: string }
