// What became of the records of a share partition that somebody has looked at: ranges of offsets, in order and without
// holes, from the start offset (everything below is done) to the frontier (nothing beyond was handed out yet).

import type { Burial } from './dead-letters.ts'

export type RecordState = 'available' | 'acquired' | 'acknowledged' | 'archived'

/** A change whose record is on its way to the log: until it is there, nobody else may touch the range. */
export type Change = {
  readonly state: RecordState
  readonly lockedUntil: number
  /** Why the record is given up, where it is. */
  readonly burial?: Burial
}

export type Range = {
  first: number
  /** Inclusive. */
  last: number
  state: RecordState
  /** How often it was handed out, the present time included. */
  deliveryCount: number
  /** Who has acquired it; null in every other state. */
  member: string | null
  /** When it is taken from the member again; 0 in every other state. */
  lockedUntil: number
  changing: Change | null
}

export const isDone = ({ state }: { readonly state: RecordState }): boolean =>
  state === 'acknowledged' || state === 'archived'

const alike = (a: Range, b: Range): boolean =>
  a.state === b.state &&
  a.deliveryCount === b.deliveryCount &&
  a.member === b.member &&
  a.lockedUntil === b.lockedUntil &&
  a.changing === b.changing

export class InFlight {
  /** Invariant: ordered, each begins where the one before ends, the first at `start`, the last ends below `frontier`. */
  #ranges: Range[] = []
  #start: number

  constructor(start: number) {
    this.#start = start
  }

  get start(): number {
    return this.#start
  }

  /** The first offset that was never handed out. */
  get frontier(): number {
    const last = this.#ranges.at(-1)
    return last === undefined ? this.#start : last.last + 1
  }

  get ranges(): readonly Range[] {
    return this.#ranges
  }

  /** Where the next free record lies; undefined if all that was looked at is taken or done. */
  get firstAvailable(): number | undefined {
    return this.#ranges.find(({ state, changing }) => state === 'available' && changing === null)?.first
  }

  /** How many records at or beyond `offset` are done. */
  doneFrom(offset: number): number {
    let count = 0
    for (const range of this.#ranges) {
      const state = range.changing?.state ?? range.state
      if (isDone({ state }) && range.last >= offset) count += range.last - Math.max(range.first, offset) + 1
    }
    return count
  }

  /** Cuts ranges so that some of them cover exactly what lies between `first` and `last` of what is known; those. */
  cut(first: number, last: number): Range[] {
    const from = Math.max(first, this.#start)
    const to = Math.min(last, this.frontier - 1)
    if (from > to) return []
    const begin = this.#divide(from)
    return this.#ranges.slice(begin, this.#divide(to + 1))
  }

  /** Makes a range begin at `offset`; its index. */
  #divide(offset: number): number {
    const index = this.#find(offset)
    const range = this.#ranges[index]
    if (range === undefined || range.first === offset) return index
    this.#ranges.splice(index + 1, 0, { ...range, first: offset })
    range.last = offset - 1
    return index + 1
  }

  /** Index of the range that holds `offset`; the number of ranges if it lies beyond them. */
  #find(offset: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ranges[middle]!.last < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Moves the frontier to behind `last`. */
  extend(last: number, fields: Partial<Omit<Range, 'first' | 'last'>>): void {
    const first = this.frontier
    if (last < first) return
    const rest = { state: 'available' as const, deliveryCount: 0, member: null, lockedUntil: 0, changing: null }
    this.#ranges.push({ first, last, ...rest, ...fields })
  }

  /** Says what became of records, whatever was known of them; what lies in between was handed out to nobody. */
  put(first: number, last: number, state: RecordState, deliveryCount: number): void {
    this.extend(first - 1, {})
    for (const range of this.cut(first, last)) {
      Object.assign(range, { state, deliveryCount, member: null, lockedUntil: 0, changing: null })
    }
    this.extend(last, { state, deliveryCount })
  }

  /** Everything below `offset` is done, whoever has it. */
  raiseStart(offset: number): void {
    if (offset <= this.#start) return
    const kept = this.#divide(offset)
    this.#ranges = this.#ranges.slice(kept)
    this.#start = offset
  }

  /** Forgets what lies at or beyond `end`: the log ends there. */
  truncate(end: number): void {
    if (end >= this.frontier) return
    this.#ranges = this.#ranges.slice(0, this.#divide(end))
    this.#start = Math.min(this.#start, end)
  }

  /** Lets the start move over what is done, and joins neighbours that are alike. */
  tidy(): void {
    let done = 0
    for (const range of this.#ranges) {
      if (!isDone(range)) break
      this.#start = range.last + 1
      done++
    }
    const joined: Range[] = []
    for (let i = done; i < this.#ranges.length; i++) {
      const range = this.#ranges[i]!
      const before = joined.at(-1)
      if (before !== undefined && alike(before, range)) before.last = range.last
      else joined.push(range)
    }
    this.#ranges = joined
  }
}
