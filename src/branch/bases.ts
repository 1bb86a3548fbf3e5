// Base values: the newest record of a key that both sides of a merge know, from whichever log has it. And whether it may be gone:
// compaction and keep rules take what has become old, and what they leave would be too old a base, by which an edit is taken for
// none, or taken back.
//
//   P   k=1 ──────── k=2 ────┃───── k=3          C has caught up to ┃ and come to a value of its own: it has no copy of k=2, and when
//   C   k=1 ──┃─ k=7 ────────── k=8              P is compacted nobody has one. k=1 is not what both have seen last.

import type { StoredRecord } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import { findBack, findBackAtOnce, type Search } from './find-back.ts'
import { commonEnd } from './heritage.ts'
import type { Knowledge, Place } from './knowledge.ts'
import type { PairOptions, Side, Version } from './pair.ts'

/** What a search has found in one log. */
type Found = {
  readonly side: Side
  readonly records: ReadonlyMap<string, StoredRecord>
  /** The record of the key behind it, or the oldest one where none was found. */
  readonly above: ReadonlyMap<string, number>
}

export type Base = {
  /** Undefined: there is none. */
  readonly version: Version | undefined
  /** Another one may have stood behind it, or the only one before. */
  readonly isLost: boolean
}

/** Of a key, as keyText gives it. */
export type BasesFound = (key: string) => Base

export class Bases {
  readonly #options: PairOptions
  /** Looked for aside, for the moment when nobody may write. */
  readonly #kept = new Map<string, Base>()

  constructor(options: PairOptions) {
    this.#options = options
  }

  readonly isKnownToTarget = (record: StoredRecord): boolean => {
    const { source, target } = this.#options
    return isKnownTo(target.knowledge, source.knowledge, record)
  }

  readonly #isKnownToSource = (record: StoredRecord): boolean => {
    const { source, target } = this.#options
    return isKnownTo(source.knowledge, target.knowledge, record)
  }

  async find(keys: ReadonlySet<string>): Promise<BasesFound> {
    const { turns } = this.#options
    const [source, target] = this.#searches(keys)
    return this.#chosen(source, await findBack(source, turns), target, await findBack(target, turns))
  }

  /** So that it need not be looked for again. */
  keep(keys: ReadonlySet<string>, found: BasesFound): void {
    for (const key of keys) this.#kept.set(key, found(key))
  }

  hasAll(keys: ReadonlySet<string>): boolean {
    return [...keys].every((key) => this.#kept.has(key))
  }

  /** Without a pause: what is not kept is looked for, if need be to the beginning of both logs. */
  findAtOnce(keys: ReadonlySet<string>): BasesFound {
    const [source, target] = this.#searches(new Set([...keys].filter((key) => !this.#kept.has(key))))
    const found = this.#chosen(source, findBackAtOnce(source), target, findBackAtOnce(target))
    return (key) => this.#kept.get(key) ?? found(key)
  }

  /** For the newest record of each key that both sides know, on either. */
  #searches(keys: ReadonlySet<string>): [Search, Search] {
    const { source, target } = this.#options
    const ofSource = { log: source.log, below: source.end, keys, accepts: this.isKnownToTarget }
    const ofTarget = { log: target.log, below: target.log.logEndOffset, keys, accepts: this.#isKnownToSource }
    return [
      { ...ofSource, above: new Map() },
      { ...ofTarget, above: new Map() },
    ]
  }

  #chosen(
    { above: aboveTheirs }: Search,
    theirs: ReadonlyMap<string, StoredRecord>,
    { above: aboveOurs }: Search,
    ours: ReadonlyMap<string, StoredRecord>,
  ): BasesFound {
    const { source, target } = this.#options
    const versions = new Map<string, Version>()
    const fromSource = new Set<string>()
    for (const [key, record] of ours) versions.set(key, versionOf(record))
    for (const [key, record] of theirs) {
      const other = ours.get(key)
      if (other !== undefined && this.#isOlder(record, other)) continue
      versions.set(key, versionOf(record))
      fromSource.add(key)
    }
    const sides: readonly [Found, Found] = [
      { side: source, records: theirs, above: aboveTheirs! },
      { side: target, records: ours, above: aboveOurs! },
    ]
    const isLost = (key: string): boolean => {
      const chosen = fromSource.has(key) ? sides[0] : ours.has(key) ? sides[1] : undefined
      return hides(sides[0], sides[1], key, chosen) || hides(sides[1], sides[0], key, chosen)
    }
    return (key) => ({ version: versions.get(key), isLost: this.#options.fields === 'json' && isLost(key) })
  }

  /** Whether a record of the source was known where one of the target was written. */
  #isOlder(theirs: StoredRecord, ours: StoredRecord): boolean {
    const { source, target } = this.#options
    const theirHome = source.knowledge.home(theirs.offset)
    const ourHome = target.knowledge.home(ours.offset)
    if (theirHome === ourHome) return theirs.offset < ours.offset
    if (ourHome === target.knowledge.branch)
      return theirs.offset < (target.knowledge.knownAt(ours.offset + 1)[theirHome] ?? 0)
    return ours.offset >= (source.knowledge.knownAt(theirs.offset + 1)[ourHome] ?? 0)
  }
}

export const versionOf = ({ offset, timestamp, value }: StoredRecord): Version => ({ offset, timestamp, value })

function isKnownTo(other: Knowledge, own: Knowledge, { offset, headers }: StoredRecord): boolean {
  if (other.knows({ branch: own.home(offset), offset })) return true
  return other.knows(own.originFor(other.branch, offset, headers))
}

// --- what may be gone

/** Below it compaction, keep rules or retention have taken what they took. */
const thinnedBelow = ({ logStartOffset, compactedOffset }: Log): number => Math.max(logStartOffset, compactedOffset)

/** Whether the one log has had a record of the key that both know, newer than what was chosen, and neither has it any more. */
function hides(one: Found, other: Found, key: string, chosen: Found | undefined): boolean {
  if (isExact(one, other, key)) return false
  const { knowledge, log } = one.side
  const end = Math.min(knownEnd(knowledge, other.side.knowledge), thinnedBelow(log))
  const start = isExact(other, one, key) ? unheldFrom(other.side.knowledge, knowledge) : 0
  return start < end && (chosen === undefined || placeIn(one, chosen, key) < end)
}

/** Whether nothing behind what was found is gone that the other side knows. */
function isExact({ side, records, above }: Found, { side: other }: Found, key: string): boolean {
  const found = records.get(key)
  const behind = found === undefined ? 0 : found.offset + 1
  if (thinnedBelow(side.log) <= behind) return true
  if (side.revAt !== undefined) {
    const next = above.get(key)
    const number = found === undefined ? 0 : (side.revAt(found.offset) ?? Number.NaN)
    return next === undefined ? found !== undefined : side.revAt(next) === number + 1
  }
  if (side.log.logStartOffset > behind) return false
  // What stands behind the one that compaction spares for another is gone, and this other side may have known it.
  if (side.sparesFor === other.knowledge.branch) return true
  if (found === undefined) return false
  const { knowledge } = side
  return side.sparesFor === undefined || knownEnd(knowledge, other.knowledge) <= common(knowledge, other.knowledge)
}

const common = (one: Knowledge, other: Knowledge): number => commonEnd(one, other, Number.MAX_SAFE_INTEGER)

/** Behind the last place of a log that the other side knows. */
function knownEnd(own: Knowledge, other: Knowledge): number {
  let end = 0
  let from = 0
  for (const [home, upTo] of [...own.spans, [own.branch, Number.MAX_SAFE_INTEGER] as const]) {
    const known = home === other.branch ? upTo : Math.min(upTo, other.known[home] ?? 0)
    if (known > from) end = known
    from = upTo
  }
  return end
}

/** From where on one side may know records of the other without having copies of them. */
const unheldFrom = ({ unheld }: Knowledge, of: Knowledge): number =>
  Math.min(...[of.branch, ...of.spans.map(([home]) => home)].map((home) => unheld[home] ?? Number.POSITIVE_INFINITY))

/** Where a record stands among those of a log: its own place, or up to where the log was written when it came to be known there. */
function placeIn({ side: { knowledge } }: Found, { side, records }: Found, key: string): number {
  const { offset, headers } = records.get(key)!
  if (side.knowledge === knowledge) return offset
  const asker = knowledge.branch
  const places: Place[] = [
    { branch: side.knowledge.home(offset), offset },
    side.knowledge.originFor(asker, offset, headers),
  ]
  const isHere = (place: Place) => knowledge.home(place.offset) === place.branch
  return Math.max(...places.map((place) => (isHere(place) ? place.offset : knowledge.learntAt(place))))
}
