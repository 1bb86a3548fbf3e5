// What one partition of a branch knows of the others, and where each of its records was first written. Nothing is kept per
// key: a number per branch, a span per ancestor and a range per merge answer for every record.
//
//   offsets   0 ───────────── F ──────────── a ─────────▶        a branch of P, into which C was fast-forwarded at F:
//             first in P      │ first in C   │ its own           spans [P, F] [C, a]; all behind them is its own
//
// A merge raises the vector to all that its source knew. So does a fork, for the child; what it takes over of merges are those
// that stand wholly below it (extensions §1.4).

import type { RecordHeader } from '../../protocol/records/record.ts'
import { originOf } from './origin.ts'
import { raised, type Vector } from './vector.ts'

/** Where a record was first written: the same for every copy of it that a merge made unaltered. */
export type Place = { readonly branch: string; readonly offset: number }

/** Records below `upTo`, down to where the span before ends, were first written in `branch`, at the very same offset. */
export type Span = readonly [branch: string, upTo: number]

/** Records that the broker wrote on behalf of a merge: only here are headers of ours believed. */
export type MergedRange = {
  readonly id: string
  /** Both included. */
  readonly first: number
  readonly last: number
  /** Broker time, ms: retention counts from here. */
  readonly at: number
  /** A conflict was resolved by it: others may know the origin, and not that it was chosen. */
  readonly isResolution?: true
  /** Of these branches the range holds origins below the offset that the vector does not cover: picked keys. */
  readonly loose?: Vector
}

/** What a branch knew at one of its offsets: what a fork there takes over. */
export type Heritage = {
  readonly known: Vector
  readonly spans: readonly Span[]
  readonly merged: readonly MergedRange[]
}

/** A merge into this branch. */
export type Lesson = {
  readonly id: string
  readonly at: number
  /** The target's log end when all was written. */
  readonly end: number
  /** All that is known after it. */
  readonly known: Vector
  readonly first?: number
  readonly last?: number
  readonly loose?: Vector
  readonly isResolution?: boolean
  /** A fast-forward: spans as they are now, and what merges wrote of what is new. */
  readonly spans?: readonly Span[]
  readonly merged?: readonly MergedRange[]
}

const nothing: Heritage = { known: {}, spans: [], merged: [] }

export class Knowledge {
  /** Topic id. */
  readonly branch: string
  #known: Vector
  #spans: readonly Span[]
  /** Ascending, none overlaps another. */
  #merged: MergedRange[]
  /** What merges of any kind brought, and when. */
  readonly #brought: { readonly first: number; readonly last: number; readonly at: number }[]
  /** What was known at the fork, and then after each merge, ascending. */
  readonly #steps: { readonly end: number; readonly known: Vector }[]

  constructor(branch: string, { known, spans, merged }: Heritage = nothing) {
    this.branch = branch
    this.#known = known
    this.#spans = spans
    this.#merged = [...merged]
    this.#brought = [...merged]
    this.#steps = [{ end: 0, known }]
  }

  /** Of others, as of now. */
  get known(): Vector {
    return this.#known
  }

  get spans(): readonly Span[] {
    return this.#spans
  }

  get merged(): readonly MergedRange[] {
    return this.#merged
  }

  /** Whether nothing was ever forked or merged here. */
  get isBlank(): boolean {
    return this.#spans.length === 0 && this.#merged.length === 0 && Object.keys(this.#known).length === 0
  }

  /** The branch in which an offset was first written. */
  home(offset: number): string {
    if (offset >= (this.#spans.at(-1)?.[1] ?? 0)) return this.branch
    for (const [branch, upTo] of this.#spans) if (offset < upTo) return branch
    return this.branch
  }

  /** Of itself a branch knows everything. */
  knows({ branch, offset }: Place): boolean {
    return branch === this.branch || offset < (this.#known[branch] ?? 0)
  }

  /** What a merge of the broker's wrote around an offset. */
  #rangeAt(offset: number): MergedRange | undefined {
    const merged = this.#merged
    let low = 0
    for (let high = merged.length; low < high; ) {
      const middle = (low + high) >> 1
      if (merged[middle]!.last < offset) low = middle + 1
      else high = middle
    }
    return low < merged.length && merged[low]!.first <= offset ? merged[low] : undefined
  }

  /** Whether a merge of the broker's wrote the record at an offset. */
  isMerged(offset: number): boolean {
    return this.#rangeAt(offset) !== undefined
  }

  /**
   * Where a record of this log was first written. Its headers are believed where a merge wrote it; an origin in a branch
   * that is forgotten is as good as none: here are the only copies. `asker`: the branch that wants to know.
   */
  originOf(offset: number, headers: readonly RecordHeader[], asker: string): Place {
    const range = headers.length === 0 ? undefined : this.#rangeAt(offset)
    const written = range && originOf(headers)
    const origin = range?.isResolution && written?.branch !== asker ? undefined : written
    const isKnown = origin !== undefined && (this.knows(origin) || range?.loose?.[origin.branch] !== undefined)
    return isKnown ? origin : { branch: this.home(offset), offset }
  }

  /** Whether offsets of this log were first written in a branch: then it cannot be forgotten. */
  isHome(branch: string): boolean {
    return this.#spans.some(([home]) => home === branch)
  }

  /** Whether merges brought something of a branch that the vector does not cover. */
  isLoose(branch: string): boolean {
    return this.#merged.some(({ loose }) => loose?.[branch] !== undefined)
  }

  /** Whether more is known of a branch than was at the fork. */
  hasLearnt(branch: string): boolean {
    return this.#known[branch] !== this.#steps[0]!.known[branch]
  }

  /** Forgets a branch that is gone (mentions.ts says when): what came from it was first written where it stands here. */
  forget(branch: string): void {
    if (this.#known[branch] === undefined) return
    const without = ({ [branch]: _, ...others }: Vector): Vector => others
    this.#known = without(this.#known)
    // What was known once stayed known.
    for (let i = this.#steps.length - 1; i >= 0 && this.#steps[i]!.known[branch] !== undefined; i--) {
      this.#steps[i] = { end: this.#steps[i]!.end, known: without(this.#steps[i]!.known) }
    }
  }

  /** When the last merge wrote into `[from, to)`, ms; -1 where none did. */
  broughtAt(from: number, to: number): number {
    return this.#merged.reduce(
      (at, range) => (range.last >= from && range.first < to ? Math.max(at, range.at) : at),
      -1,
    )
  }

  /** The first offset of `[start, end)` whose place another branch does not know; `end` where it knows them all. */
  firstUnknownTo(other: Knowledge, start: number, end: number): number {
    let from = start
    for (const [branch, upTo] of [...this.#spans, [this.branch, end] as const]) {
      const to = Math.min(upTo, end)
      if (to <= from) continue
      const known = other.branch === branch ? to : Math.max(from, other.known[branch] ?? 0)
      if (known < to) return known
      from = to
    }
    return end
  }

  /** Whether the log of another branch begins with all that this one's has, up to its end. */
  isPrefixOf(other: Knowledge, start: number, end: number): boolean {
    const homes = (knowledge: Knowledge) => {
      const pieces: [branch: string, upTo: number][] = []
      for (const [branch, upTo] of [...knowledge.spans, [knowledge.branch, Infinity] as const]) {
        if (upTo <= start || (pieces.at(-1)?.[1] ?? start) >= end) continue
        if (pieces.at(-1)?.[0] === branch) pieces.at(-1)![1] = Math.min(upTo, end)
        else pieces.push([branch, Math.min(upTo, end)])
      }
      return JSON.stringify(pieces)
    }
    return start >= end || homes(this) === homes(other)
  }

  learn({ id, at, end, known, first, last, loose, isResolution, spans, merged = [] }: Lesson): void {
    this.#known = raised(this.#known, known)
    this.#steps.push({ end, known: this.#known })
    if (spans !== undefined) this.#spans = spans
    this.#merged.push(...merged)
    if (first === undefined || last === undefined) return
    this.#brought.push({ first, last, at })
    if (spans !== undefined) return
    this.#merged.push({
      ...{ id, first, last, at },
      ...(loose === undefined ? {} : { loose }),
      ...(isResolution === true ? { isResolution } : {}),
    })
  }

  /** What was known of others when the log ended at an offset. */
  knownAt(offset: number): Vector {
    return this.#steps.findLast(({ end }) => end <= offset)?.known ?? this.#steps[0]!.known
  }

  /** As this was when the log ended at an offset; the ranges of merges are those of now. */
  upTo(offset: number): Knowledge {
    const known = this.knownAt(offset)
    if (known === this.#known) return this
    return new Knowledge(this.branch, { known, spans: this.#spans, merged: this.#merged })
  }

  /** What a fork at an offset takes over: it knows this branch up to there too. */
  asOf(offset: number): Heritage {
    const inside = this.#spans.flatMap(([branch, upTo], i): Span[] => {
      const from = this.#spans[i - 1]?.[1] ?? 0
      return from < offset || i === 0 ? [[branch, Math.min(upTo, offset)]] : []
    })
    const known = this.knownAt(offset)
    return {
      known: raised(known, { [this.branch]: offset }),
      spans: [...inside, [this.branch, offset]],
      merged: this.#merged.filter(({ first }) => first < offset).map((range) => this.#clipped(range, offset)),
    }
  }

  /** A fork in the midst of a merge has some of its records, and not what the merge made known. */
  #clipped(range: MergedRange, offset: number): MergedRange {
    if (range.last < offset) return range
    return { ...range, last: offset - 1, loose: raised(this.#known, range.loose ?? {}) }
  }
}
