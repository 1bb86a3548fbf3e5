// Which records a view shows, as offsets. What is new is looked at a slice at a time; what was found stays found.

import { offsetOf, type Place } from './known-parts.ts'
import type { Revisions } from './revisions.ts'

export interface Selection {
  /** Goes on for about `bytes` bytes of what the index knows; whether there is more. Throws DamagedRecords. */
  advance(bytes: number): boolean
  /** The first offset that is shown, from one on. */
  next(from: number): number | undefined
  /** `next` has given up before it knew; `advance` goes on from there. */
  readonly isCut: boolean
  /** The last offset that is shown; -1 where none is. */
  readonly last: number
}

/** What a step from one revision to another costs, told in bytes of a scan. */
const stepCost = 128

export const offsetOrNone = (place: Place | undefined): number => (place === undefined ? -1 : offsetOf(place))

/** Every revision. */
export class WholeSelection implements Selection {
  readonly isCut = false
  readonly #revisions: Revisions

  constructor(revisions: Revisions) {
    this.#revisions = revisions
  }

  advance(): boolean {
    return false
  }

  next(from: number): number | undefined {
    const found = this.#revisions.known.from(from)
    return found && offsetOf(found)
  }

  get last(): number {
    return offsetOrNone(this.#revisions.known.last())
  }
}

/** Offsets that rise, and are looked up by halving. */
export class RisingOffsets {
  #offsets = new Float64Array(16)
  #count = 0

  get last(): number {
    return this.#count === 0 ? -1 : this.#offsets[this.#count - 1]!
  }

  push(offset: number): void {
    if (this.#count === this.#offsets.length) {
      const more = new Float64Array(2 * this.#count)
      more.set(this.#offsets)
      this.#offsets = more
    }
    this.#offsets[this.#count++] = offset
  }

  next(from: number): number | undefined {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#offsets[middle]! < from) low = middle + 1
      else high = middle
    }
    return low === this.#count ? undefined : this.#offsets[low]
  }
}

/** The revisions of one key. */
export class KeySelection implements Selection {
  readonly isCut = false
  readonly #revisions: Revisions
  readonly #key: Buffer
  readonly #found = new RisingOffsets()
  #seenOffset = -1
  /** What is new up to where the index was when that began, from the newest back. */
  #fresh: { readonly upTo: number; readonly offsets: number[] } | undefined

  constructor(revisions: Revisions, key: Buffer) {
    this.#revisions = revisions
    this.#key = key
  }

  advance(bytes: number): boolean {
    const { indexedOffset } = this.#revisions
    for (let left = bytes; this.#seenOffset !== indexedOffset; ) {
      if (left <= 0) return true
      this.#fresh ??= { upTo: indexedOffset, offsets: [] }
      left -= this.#goBack(this.#fresh, left)
    }
    return false
  }

  /** Goes on to the last that was found before; answers what it cost. Files may be packed in between. */
  #goBack({ upTo, offsets }: { upTo: number; offsets: number[] }, bytes: number): number {
    const { last } = this.#found
    let cost = 0
    let place = this.#revisions.find(this.#key, offsets.at(-1) ?? Number.POSITIVE_INFINITY)
    for (; place !== undefined && offsetOf(place) > last; place = this.#revisions.before(place)) {
      if (cost > bytes) return cost
      offsets.push(offsetOf(place))
      cost += stepCost
    }
    for (const offset of offsets.reverse()) this.#found.push(offset)
    this.#seenOffset = upTo
    this.#fresh = undefined
    return cost
  }

  next(from: number): number | undefined {
    return this.#found.next(from)
  }

  get last(): number {
    return this.#found.last
  }
}
