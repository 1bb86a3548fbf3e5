// What becomes of a key that has changed in the source: the table of extensions §1.4, row by row.

import type { ConflictRule } from './commands.ts'

export const conflictKinds = [
  'edit/edit',
  'delete/edit',
  'edit/delete',
  'create/create',
  'history-lost',
  'open-transaction',
  /** Of a key that the decision was made on. */
  'read/edit',
  'read/delete',
  /** Of a revert. */
  'changed-since',
] as const
/** Source, then target. */
export type ConflictKind = (typeof conflictKinds)[number]

export type Verdict = 'already-there' | 'write' | 'same' | ConflictKind

/** What the target's log says of the key. */
export type TargetState =
  /** Its newest record is one that the source knows, or there never was one. */
  | 'unchanged'
  /** A record that the source does not know is the newest. */
  | 'changed'
  /** There is none, and the source's log shows one that the target knew: it was deleted here. */
  | 'deleted'
  /** A part that the source does not know is gone, and the key may have been in it. */
  | 'lost'
  /** The newest record belongs to a transaction that is open. */
  | 'open'

/** Of a key that has changed in the source. */
export type Facts = {
  /** The target's log holds the source record's origin. */
  readonly isThere: boolean
  readonly target: TargetState
  readonly sourceDeletes: boolean
  readonly targetDeletes: boolean
  readonly isSame: boolean
  readonly hasBase: boolean
}

export function judge({ isThere, target, sourceDeletes, targetDeletes, isSame, hasBase }: Facts): Verdict {
  if (isThere) return 'already-there'
  switch (target) {
    case 'unchanged':
      return 'write'
    case 'lost':
      return 'history-lost'
    case 'open':
      return 'open-transaction'
    case 'deleted':
      return sourceDeletes ? 'same' : 'edit/delete'
    case 'changed':
      if (isSame || (sourceDeletes && targetDeletes)) return 'same'
      if (sourceDeletes) return 'delete/edit'
      if (targetDeletes) return 'edit/delete'
      return hasBase ? 'edit/edit' : 'create/create'
  }
}

export type Ruling = 'source' | 'target' | 'park' | 'fail'

/** Who is right in a conflict. */
export function ruled(rule: ConflictRule, sourceTimestamp: number, targetTimestamp: number): Ruling {
  switch (rule) {
    case 'ours':
      return 'target'
    case 'theirs':
      return 'source'
    case 'newest':
      return sourceTimestamp > targetTimestamp ? 'source' : 'target'
    default:
      return rule
  }
}
