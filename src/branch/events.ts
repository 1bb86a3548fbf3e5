// What `__branches` says happened: one JSON value per event, keyed by the id of the command or change. Read by any consumer,
// and enough to draw the graph of all branches again.

import type { Refusal } from '../../protocol/errors.ts'
import type { GroupRule, Vector } from './lineage.ts'

export const eventTypes = [
  'fork',
  'plan',
  'merge-begin',
  'merge',
  'merge-aborted',
  'resolve',
  'revert',
  'reset',
  'promote',
  'listen',
  'delete',
  'lost',
  'rejected',
] as const
export type EventType = (typeof eventTypes)[number]

export type EventStatus = 'done' | 'clean' | 'conflicts' | 'committed' | 'parked' | 'rejected' | 'begun' | 'aborted'

/** What became of one partition. Offsets of the source are those of `from`, written ones those of `into`. */
export type EventPartition = {
  readonly partition: number
  /** Range of the source: `[from, to)`. */
  readonly from?: number
  readonly to?: number
  /** What was written into the target, both included; absent where nothing was. */
  readonly first?: number
  readonly last?: number
  /** What the target knows after it: of each branch, by topic id, every record below the offset. */
  readonly known?: Vector
}

export type EventTopic = {
  /** The source, as it was called then; for a fork the parent. */
  readonly from?: string
  /** The target; for a fork the branch. */
  readonly into?: string
  readonly fromId?: string
  readonly intoId?: string
  /** The name inside the set. */
  readonly inside?: string
  /** Of a promotion: what the topic whose name was taken is called now. */
  readonly kept?: string
  readonly keptId?: string
  /** What became of the parent's groups at a fork. */
  readonly groups?: GroupRule
  readonly partitions?: readonly EventPartition[]
}

export type EventCounts = {
  readonly written: number
  readonly same: number
  readonly skipped: number
  readonly conflicts: number
}

/** Of several partitions together. */
export function sumOfCounts(all: Iterable<EventCounts>): EventCounts {
  const sum = { written: 0, same: 0, skipped: 0, conflicts: 0 }
  for (const { written, same, skipped, conflicts } of all) {
    sum.written += written
    sum.same += same
    sum.skipped += skipped
    sum.conflicts += conflicts
  }
  return sum
}

/** A key that a plan tells of. */
export type PlannedKey = {
  readonly topic: string
  readonly partition: number
  readonly key?: string
  readonly keyBase64?: string
  /** `write`, or the kind of the conflict. */
  readonly kind: string
  readonly [more: string]: unknown
}

export type BranchEvent = {
  readonly v: 1
  readonly type: EventType
  readonly id: string
  /** Broker time, ms. */
  readonly at: number
  /** The principal who asked. */
  readonly by: string
  readonly status: EventStatus
  readonly set?: string
  /** All members of a set in one event. */
  readonly topics?: readonly EventTopic[]
  readonly counts?: EventCounts
  /** Bytes that a fork had to copy because files cannot be shared. */
  readonly copied?: number
  /** How long a merge held its targets' producers back. */
  readonly gateMs?: number
  /** The first result of this id, told again: nothing was done this time. */
  readonly replayed?: true
  readonly error?: EventError
  /** What the result is about beyond this: an op's own fields (`bootstrap` of listen, `keys` of plan, …). */
  readonly [more: string]: unknown
}

export type EventError = { readonly code: string; readonly message: string }

/** Why a command is not done: a code of Kafka's or of our own, and a sentence that says what to change. */
export class Rejection {
  readonly code: string
  readonly message: string
  constructor(code: string, message: string) {
    this.code = code
    this.message = message
  }
  static of({ error, message }: Refusal): Rejection {
    return new Rejection(error, message)
  }
}
