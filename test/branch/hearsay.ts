// Topics that were forked from one another, record by record, and which records each has ever heard of: the whole ancestry that our
// vectors, origins and ranges stand for. What a merge or a revert has to do follows from it.

import type { ConflictRule, Strategy } from '../../src/branch/commands.ts'
import type { Seen } from './merge-world.ts'

export type Shown = Pick<Seen, 'offset' | 'key' | 'value' | 'timestamp'>
/** A copy that a merge made has the id of what it was made of. */
export type Kept = Shown & { readonly id: number }

export type Rules = {
  readonly strategy: Exclude<Strategy, 'fast-forward'>
  readonly onConflict: ConflictRule
  readonly keys?: readonly string[]
}

/** Which records of the source come, and the keys in conflict with what both sides have of them. */
export type Verdict = {
  /** In their order where each is written; of every key the newest last. */
  readonly written: readonly Kept[]
  readonly conflicts: ReadonlyMap<string, { readonly theirs: Kept; readonly ours: Kept | undefined }>
  /** Of those the source's value wins, or the key was in open conflict: a record of the target's own. */
  readonly anew: ReadonlySet<string>
}

let ids = 0
export const newId = (): number => ++ids

const isSame = (one: Kept | undefined, other: Kept | undefined): boolean =>
  (one?.value ?? null) === (other?.value ?? null)

/** One partition of a topic. */
export class Side {
  records: Kept[] = []
  seen = new Set<number>()
  start = 0
  end = 0
  /** It knows of records by other ways than whole merges, or has lost some: what is right is right still, but may be asked about. */
  isBlurred = false
  /** What it had heard of when it ended at an offset. */
  #notes: { readonly end: number; readonly seen: ReadonlySet<number> }[] = []

  /** It ends there now. */
  note(end = this.end): void {
    this.end = end
    if (this.#notes.at(-1)?.end === end) this.#notes.pop()
    this.#notes.push({ end, seen: new Set(this.seen) })
  }

  adopt(records: readonly Kept[]): void {
    this.records.push(...records)
    for (const { id } of records) this.seen.add(id)
  }

  /** Whether it has ended there, and not in the midst of what somebody wrote. */
  endedAt(offset: number): boolean {
    return this.#notes.some(({ end }) => end === offset)
  }

  fork(cut: number): Side {
    const made = new Side()
    made.records = this.records.filter(({ offset }) => offset < cut)
    made.#notes = this.#notes.filter(({ end }) => end <= cut)
    made.seen = new Set([...(made.#notes.at(-1)?.seen ?? []), ...made.records.map(({ id }) => id)])
    made.start = Math.min(this.start, cut)
    made.isBlurred = this.isBlurred
    return made
  }

  /** What lies below is gone. */
  trim(start: number): void {
    if (start > this.start) this.isBlurred = true
    this.start = start
    this.records = this.records.filter(({ offset }) => offset >= start)
  }

  /** What came as it stands in the source; what the target had heard of by itself it had heard of in all of it. */
  forward(source: Side, to: number): void {
    const own = this.seen
    for (const { end, seen } of source.#notes) {
      if (end > this.end && end <= to) this.#notes.push({ end, seen: new Set([...own, ...seen]) })
    }
    this.records = source.records.filter(({ offset }) => offset < to)
    this.seen = new Set([...own, ...source.seen])
    this.isBlurred ||= source.isBlurred
  }

  knows(record: Kept | undefined): boolean {
    return record === undefined || this.seen.has(record.id)
  }

  /** Its newest record, a deletion too. */
  newest(key: string, below = Number.POSITIVE_INFINITY): Kept | undefined {
    return this.records.findLast((record) => record.key === key && record.offset < below)
  }

  get keys(): string[] {
    return [...new Set(this.records.flatMap(({ key }) => key ?? []))]
  }
}

/** What a merge of one partition comes to. `open`: keys that stand in open conflict between the two. */
export function judge(
  source: Side,
  target: Side,
  { strategy, onConflict, keys }: Rules,
  open: ReadonlySet<string>,
): Verdict {
  const unknown = source.records.filter((record) => !target.knows(record))
  if (strategy === 'append') return { written: unknown, conflicts: new Map(), anew: new Set() }
  const conflicts: Verdict['conflicts'] extends ReadonlyMap<infer K, infer V> ? Map<K, V> : never = new Map()
  const accepted = new Set<string>()
  const anew = new Set<string>()
  for (const key of source.keys) {
    if (keys !== undefined && !keys.includes(key)) continue
    const [theirs, ours] = [source.newest(key)!, target.newest(key)]
    const isOpen = open.has(key)
    if (target.knows(theirs) && !isOpen) continue
    if (!isOpen && (ours === undefined || source.knows(ours))) {
      accepted.add(key)
      continue
    }
    if (isSame(theirs, ours) && ours !== undefined) continue
    conflicts.set(key, { theirs, ours })
    const isTheirs = onConflict === 'newest' ? theirs.timestamp > (ours?.timestamp ?? -1) : onConflict === 'theirs'
    if (!isTheirs) continue
    if (isOpen) anew.add(key)
    accepted.add(key)
  }
  const comes = (record: Kept): boolean => {
    if (record.key === null) return keys === undefined && !target.knows(record)
    if (!accepted.has(record.key)) return false
    if (record === source.newest(record.key)) return true
    return strategy === 'replay' && !target.knows(record)
  }
  return { written: source.records.filter(comes), conflicts, anew }
}

/** What a revert of `[first, last]` makes of each key: undefined where it has nothing to do. */
export function inverse(
  side: Side,
  first: number,
  last: number,
): Map<string, { value: string | null; isChanged: boolean }> {
  const inverses = new Map<string, { value: string | null; isChanged: boolean }>()
  for (const key of side.keys) {
    const within = side.records.filter((one) => one.key === key && one.offset >= first && one.offset <= last)
    if (within.length === 0) continue
    const [before, now] = [side.newest(key, first), side.newest(key)!]
    if (!isSame(before, now)) inverses.set(key, { value: before?.value ?? null, isChanged: now.offset > last })
  }
  return inverses
}
