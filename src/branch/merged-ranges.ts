// Which offsets of a partition merges have written. A branch has those below its fork from its parent, without a copy: a topic
// into which ten thousand branches were merged is forked as cheaply as one that never saw a merge.

import type { Vector } from './vector.ts'

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

/** What a fast-forward moved over, both included: merges may have written parts of it in the source. `at` as above. */
export type ForwardedRange = Pick<MergedRange, 'first' | 'last' | 'at'>

/** What a branch has of another topic: whatever stands wholly below an offset. `loose`: branches that ranges there name so. */
export type RangesBelow = { readonly of: string; readonly below: number; readonly loose?: readonly string[] }

/** As a fork says it. `merged` and `forwards` are behind what is inherited, ascending. */
export type RangesTold = {
  readonly inherits?: RangesBelow
  readonly merged?: readonly MergedRange[]
  readonly forwards?: readonly ForwardedRange[]
}

type Loose = MergedRange & { readonly loose: Vector }

const isLoose = (range: MergedRange): range is Loose => range.loose !== undefined

type Inherited = { readonly ranges: MergedRanges; readonly below: number }

export class MergedRanges {
  /** Topic id. */
  readonly #owner: string
  readonly #inherited: Inherited | undefined
  /** Ascending, none overlaps another. */
  readonly #own: MergedRange[] = []
  readonly #ownLoose: Loose[] = []
  readonly #forwards: ForwardedRange[]
  /** The topic is no more: whoever has these from it has to tell them itself. */
  isOrphaned = false

  constructor(owner: string, { merged = [], forwards = [] }: RangesTold = {}, inherited?: Inherited) {
    this.#owner = owner
    this.#inherited = inherited
    this.#forwards = [...forwards]
    this.add(...merged)
  }

  add(...ranges: readonly MergedRange[]): void {
    for (const range of ranges) {
      this.#own.push(range)
      if (isLoose(range)) this.#ownLoose.push(range)
    }
  }

  addForward(range: ForwardedRange): void {
    this.#forwards.push(range)
  }

  /** Whether there is any below an offset. */
  isEmpty(below = Number.POSITIVE_INFINITY): boolean {
    const inherited = this.#inherited
    return (
      (this.#own[0]?.last ?? below) >= below &&
      (this.#forwards[0]?.first ?? below) >= below &&
      (inherited === undefined || inherited.ranges.isEmpty(Math.min(below, inherited.below)))
    )
  }

  /** What a merge of the broker's wrote around an offset. */
  at(offset: number): MergedRange | undefined {
    const { ranges, below } = this.#inherited ?? {}
    const early = below !== undefined && offset < below ? ranges?.at(offset) : undefined
    if (early !== undefined && early.last < below!) return early
    const range = this.#own[this.#firstOwn(offset)]
    return range !== undefined && range.first <= offset ? range : undefined
  }

  /** Those that have offsets of `[from, to)`, ascending. */
  *within(from: number, to: number): Generator<MergedRange> {
    const { ranges, below = 0 } = this.#inherited ?? {}
    if (ranges !== undefined && from < below) {
      for (const range of ranges.within(from, Math.min(to, below))) if (range.last < below) yield range
    }
    for (let i = this.#firstOwn(from); i < this.#own.length && this.#own[i]!.first < to; i++) yield this.#own[i]!
  }

  /** The first of the own ones that ends at an offset or behind it. */
  #firstOwn(offset: number): number {
    let low = 0
    for (let high = this.#own.length; low < high; ) {
      const middle = (low + high) >> 1
      if (this.#own[middle]!.last < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Behind the last one that stands wholly below an offset; 0 where none does. */
  end(below = Number.POSITIVE_INFINITY): number {
    const last = this.#own[this.#firstOwn(below) - 1]
    if (last !== undefined) return last.last + 1
    return this.#inherited?.ranges.end(Math.min(below, this.#inherited.below)) ?? 0
  }

  /** Those that hold more of other branches than the vector says, below an offset. */
  *loose(below = Number.POSITIVE_INFINITY): Generator<Loose> {
    const inherited = this.#inherited
    if (inherited !== undefined) yield* inherited.ranges.loose(Math.min(below, inherited.below))
    for (const range of this.#ownLoose) if (range.last < below) yield range
  }

  /** When the last merge wrote into `[from, to)`, or moved over it, ms; -1 where none did. */
  broughtAt(from: number, to: number): number {
    let newest = -1
    for (const { at } of this.within(from, to)) newest = Math.max(newest, at)
    for (const { last, at } of this.#forwardsBelow(to)) if (last >= from) newest = Math.max(newest, at)
    return newest
  }

  *#forwardsBelow(offset: number): Generator<ForwardedRange> {
    const inherited = this.#inherited
    if (inherited !== undefined) yield* inherited.ranges.#forwardsBelow(Math.min(offset, inherited.below))
    for (const range of this.#forwards) {
      if (range.first < offset) yield range.last < offset ? range : { ...range, last: offset - 1 }
    }
  }

  /** What a fork at an offset has of these, but for a range that it cuts in two. */
  toldBelow(below: number): RangesTold {
    if (this.isEmpty(below)) return {}
    if (this.isOrphaned) return this.#orphansBelow(below)
    const loose = [...new Set([...this.loose(below)].flatMap((range) => Object.keys(range.loose)))]
    return { inherits: { of: this.#owner, below, ...(loose.length === 0 ? {} : { loose }) } }
  }

  #orphansBelow(below: number): RangesTold {
    const inherited = this.#inherited
    const before = inherited === undefined ? {} : inherited.ranges.toldBelow(Math.min(below, inherited.below))
    return joined(before, {
      merged: this.#own.filter(({ last }) => last < below),
      forwards: [...new MergedRanges(this.#owner, { forwards: this.#forwards }).#forwardsBelow(below)],
    })
  }

  /** What of its inheritance a fork has to tell otherwise than it was made with; undefined where that is still true. */
  get retold(): RangesTold | undefined {
    const inherited = this.#inherited
    return inherited?.ranges.isOrphaned ? inherited.ranges.toldBelow(inherited.below) : undefined
  }
}

/** The one, and what comes behind it. */
export function joined(before: RangesTold, { merged = [], forwards = [] }: RangesTold): RangesTold {
  const { inherits, merged: early = [], forwards: moved = [] } = before
  const all = { merged: [...early, ...merged], forwards: [...moved, ...forwards] }
  return {
    ...(inherits === undefined ? {} : { inherits }),
    ...(all.merged.length === 0 ? {} : { merged: all.merged }),
    ...(all.forwards.length === 0 ? {} : { forwards: all.forwards }),
  }
}
