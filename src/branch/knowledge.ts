// What one partition of a branch knows of the others, and where each of its records was first written. Nothing is kept per
// key: a number per branch, a span per ancestor and a range per merge answer for every record.
//
//   offsets   0 ───────────── F ──────────── a ─────────▶        a branch of P, into which C was fast-forwarded at F:
//             first in P      │ first in C   │ its own           spans [P, F] [C, a]; all behind them is its own
//
// A merge raises the vector to all that its source knew. So does a fork, for the child; what it takes over of merges are those
// that stand wholly below it (extensions §1.4).

import type { RecordHeader } from '../../protocol/records/record.ts'
import { joined, type MergedRange, MergedRanges, type RangesTold } from './merged-ranges.ts'
import { originOf } from './origin.ts'
import { isSame, raised, type Vector, without } from './vector.ts'

/** Where a record was first written: the same for every copy of it that a merge made unaltered. */
export type Place = { readonly branch: string; readonly offset: number }

/** Records below `upTo`, down to where the span before ends, were first written in `branch`, at the very same offset. */
export type Span = readonly [branch: string, upTo: number]

/** What a branch knew at one of its offsets: what a fork there takes over. */
export type Heritage = RangesTold & {
  readonly known: Vector
  readonly spans: readonly Span[]
  readonly unheld?: Vector
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
  /** Copies have come of all that is known now of this branch, its newest of each key. */
  readonly held?: string
  /** A fast-forward: spans as they are now, and what merges wrote of what is new. */
  readonly spans?: readonly Span[]
  readonly merged?: readonly MergedRange[]
}

type Known = { readonly known: Vector; readonly spans: readonly Span[]; readonly unheld?: Vector | undefined }

type Step = { readonly end: number; readonly known: Vector }

export class Knowledge {
  /** Topic id. */
  readonly branch: string
  /** What merges have written here, and what of it was there at the fork. */
  readonly ranges: MergedRanges
  #known: Vector
  #spans: readonly Span[]
  #unheld: Vector
  /** What was known at the fork, and then after each merge that told something new, ascending. */
  #steps: Step[]

  constructor(
    branch: string,
    { known, spans, unheld = {} }: Known = { known: {}, spans: [] },
    ranges = new MergedRanges(branch),
  ) {
    this.branch = branch
    this.ranges = ranges
    this.#known = known
    this.#spans = spans
    this.#unheld = unheld
    this.#steps = [{ end: 0, known }]
  }

  /** Of others, as of now. */
  get known(): Vector {
    return this.#known
  }

  get spans(): readonly Span[] {
    return this.#spans
  }

  /** Of these branches, from the offset on, records are known of which there is perhaps no copy: a value of its own was preferred, or others told. */
  get unheld(): Vector {
    return this.#unheld
  }

  /** Whether nothing was ever forked or merged here. */
  get isBlank(): boolean {
    return this.#spans.length === 0 && this.ranges.isEmpty() && Object.keys(this.#known).length === 0
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

  /** Whether a merge of the broker's wrote the record at an offset. */
  isMerged(offset: number): boolean {
    return this.ranges.at(offset) !== undefined
  }

  /**
   * Where a record of this log was first written. Its headers are believed where a merge wrote it; an origin in a branch
   * that is forgotten is as good as none: here are the only copies. A resolution is written here, whatever it took.
   */
  originOf(offset: number, headers: readonly RecordHeader[]): Place {
    const range = headers.length === 0 ? undefined : this.ranges.at(offset)
    const origin = range === undefined || range.isResolution ? undefined : this.#named(headers, range)
    return origin ?? { branch: this.home(offset), offset }
  }

  /** Where that was first written which a resolution took; undefined where the record is none, or has a value of its own. */
  takenBy(offset: number, headers: readonly RecordHeader[]): Place | undefined {
    const range = headers.length === 0 ? undefined : this.ranges.at(offset)
    return range?.isResolution ? this.#named(headers, range) : undefined
  }

  /** As `originOf`, for a branch that looks for a value which both have: what was taken from its own records it has. */
  originFor(asker: string, offset: number, headers: readonly RecordHeader[]): Place {
    const taken = this.takenBy(offset, headers)
    return taken?.branch === asker ? taken : this.originOf(offset, headers)
  }

  #named(headers: readonly RecordHeader[], { loose }: MergedRange): Place | undefined {
    const origin = originOf(headers)
    const isKnown = origin !== undefined && (this.knows(origin) || loose?.[origin.branch] !== undefined)
    return isKnown ? origin : undefined
  }

  /** Whether offsets of this log were first written in a branch: then it cannot be forgotten. */
  isHome(branch: string): boolean {
    return this.#spans.some(([home]) => home === branch)
  }

  /** Whether merges brought something of a branch that the vector does not cover. */
  isLoose(branch: string): boolean {
    for (const { loose } of this.ranges.loose()) if (loose[branch] !== undefined) return true
    return false
  }

  /** Whether more is known of a branch than was at the fork. */
  hasLearnt(branch: string): boolean {
    return this.#known[branch] !== this.#steps[0]!.known[branch]
  }

  /** Forgets a branch that is gone (mentions.ts says when): what came from it was first written where it stands here. */
  forget(branch: string): void {
    if (this.#known[branch] === undefined) return
    this.#unheld = without(this.#unheld, branch)
    const steps: Step[] = []
    for (const { end, known } of this.#steps) {
      const left = known[branch] === undefined ? known : without(known, branch)
      // What told of this branch alone is no step any more.
      if (steps.length === 0 || !isSame(steps.at(-1)!.known, left)) steps.push({ end, known: left })
    }
    this.#steps = steps
    this.#known = steps.at(-1)!.known
  }

  /** What is known when all that another branch has, up to where its log ends, has come here. */
  raisedBy(other: Knowledge, end: number): Vector {
    return raised(this.#known, without(raised(other.known, { [other.branch]: end }), this.branch))
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

  learn({ id, at, end, known, first, last, loose, isResolution, held, spans, merged = [] }: Lesson): void {
    for (const [branch, offset] of Object.entries(known)) {
      const before = this.#known[branch] ?? 0
      if (offset <= before || branch === held || this.#unheld[branch] !== undefined) continue
      this.#unheld = { ...this.#unheld, [branch]: before }
    }
    const now = raised(this.#known, known)
    if (!isSame(now, this.#known)) this.#steps.push({ end, known: now })
    this.#known = this.#steps.at(-1)!.known
    if (spans !== undefined) this.#spans = spans
    this.ranges.add(...merged)
    if (first === undefined || last === undefined) return
    if (spans !== undefined) {
      this.ranges.addForward({ first, last, at })
      return
    }
    this.ranges.add({
      ...{ id, first, last, at },
      ...(loose === undefined ? {} : { loose }),
      ...(isResolution === true ? { isResolution } : {}),
    })
  }

  /** Where the log ended when a place came to be known; 0 where it was at the fork, or is not. */
  learntAt({ branch, offset }: Place): number {
    let low = 0
    for (let high = this.#steps.length; low < high; ) {
      const middle = (low + high) >> 1
      if ((this.#steps[middle]!.known[branch] ?? 0) > offset) high = middle
      else low = middle + 1
    }
    return this.#steps[low]?.end ?? 0
  }

  /** What was known of others when the log ended at an offset. */
  knownAt(offset: number): Vector {
    return this.#steps.findLast(({ end }) => end <= offset)?.known ?? this.#steps[0]!.known
  }

  /** As this was when the log ended at an offset; the ranges of merges are those of now. */
  upTo(offset: number): Knowledge {
    const known = this.knownAt(offset)
    if (known === this.#known) return this
    return new Knowledge(this.branch, { known, spans: this.#spans, unheld: this.#unheld }, this.ranges)
  }

  /** What a fork at an offset takes over: it knows this branch up to there too. */
  asOf(offset: number): Heritage {
    const inside = this.#spans.flatMap(([branch, upTo], i): Span[] => {
      const from = this.#spans[i - 1]?.[1] ?? 0
      return from < offset || i === 0 ? [[branch, Math.min(upTo, offset)]] : []
    })
    const cut = this.#rangeCutAt(offset)
    return {
      known: raised(this.knownAt(offset), { [this.branch]: offset }),
      spans: [...inside, [this.branch, offset]],
      ...(Object.keys(this.#unheld).length === 0 ? {} : { unheld: this.#unheld }),
      ...joined(this.ranges.toldBelow(offset), cut === undefined ? {} : { merged: [cut] }),
    }
  }

  /** What merges have written of `[from, to)`, as a log that ends there would have it. */
  mergedWithin(from: number, to: number): MergedRange[] {
    const cut = this.#rangeCutAt(to)
    return [...this.ranges.within(from, to)].map((range) => (range.last >= to ? cut! : range))
  }

  /** A log that ends in the midst of a merge has some of its records, and not what the merge made known. */
  #rangeCutAt(offset: number): MergedRange | undefined {
    const range = this.ranges.at(offset - 1)
    if (range === undefined || range.last < offset) return undefined
    return { ...range, last: offset - 1, loose: raised(this.#known, range.loose ?? {}) }
  }
}
