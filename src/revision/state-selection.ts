// What views of the kind `state` show: the newest revision of each key, of all or of those below an offset.

import { offsetOf } from './known-parts.ts'
import { sorting } from './pack-sort.ts'
import type { Revisions } from './revisions.ts'
import { offsetOrNone, RisingOffsets, type Selection } from './selection.ts'

/** A stretch without a record that is the newest of its key: none of these ever is again. */
type Barren = { from: number; to: number }

/** Revisions that are looked at before an answer has to do without. */
const stepsMax = 2048
const barrenMax = 16
/** What a look costs, told in bytes of a scan. */
const stepCost = 128

/** The state of now. */
export class LiveSelection implements Selection {
  readonly #revisions: Revisions
  /** Where readers have been; the one who was there last comes last. */
  #barren: Barren[] = []
  #unfinished: Barren | undefined

  constructor(revisions: Revisions) {
    this.#revisions = revisions
  }

  get isCut(): boolean {
    return this.#unfinished !== undefined
  }

  advance(bytes: number): boolean {
    const unfinished = this.#unfinished
    if (unfinished !== undefined) this.#walk(unfinished, Math.ceil(bytes / stepCost))
    return this.isCut
  }

  next(from: number): number | undefined {
    const known = this.#barren.findIndex((stretch) => stretch.from <= from && from <= stretch.to)
    const stretch = known >= 0 ? this.#barren.splice(known, 1)[0]! : { from, to: from }
    this.#barren.push(stretch)
    if (this.#barren.length > barrenMax) this.#barren.shift()
    return this.#walk(stretch, stepsMax)
  }

  #walk(stretch: Barren, steps: number): number | undefined {
    const { known } = this.#revisions
    this.#unfinished = undefined
    for (let left = steps; left > 0; left--) {
      const place = known.from(stretch.to)
      if (place === undefined) return undefined
      const offset = offsetOf(place)
      stretch.to = offset
      if (known.isNewest(place)) return offset
      stretch.to = offset + 1
    }
    this.#unfinished = stretch
    return undefined
  }

  /** Of all records the last is the newest of its key too. */
  get last(): number {
    return offsetOrNone(this.#revisions.known.last())
  }
}

/**
 * The newest revision of each key below an offset. Until all of that is decided it shows, like the state of now, what is the
 * newest so far.
 */
export class StateSelection implements Selection {
  readonly #revisions: Revisions
  readonly #below: number
  readonly #live: LiveSelection
  #found = new RisingOffsets()
  #filesVersion = -1
  #work: Generator<void, void> | undefined
  #isDone = false
  #last = -1

  constructor(revisions: Revisions, below: number) {
    this.#revisions = revisions
    this.#below = below
    this.#live = new LiveSelection(revisions)
  }

  get isCut(): boolean {
    return !this.#isDone && this.#isLive && this.#live.isCut
  }

  get #isLive(): boolean {
    return this.#revisions.indexedOffset < this.#below
  }

  advance(bytes: number): boolean {
    if (this.#isDone) return false
    if (this.#isLive) {
      this.#last = this.#live.last
      return this.#live.advance(bytes)
    }
    const { filesVersion } = this.#revisions.log
    if (this.#filesVersion !== filesVersion) {
      // What it goes through is not there any more.
      this.#filesVersion = filesVersion
      this.#found = new RisingOffsets()
      this.#work = this.#collect()
    }
    for (let left = bytes; left > 0; left -= keysAtOnce * keyCost) {
      if (this.#work!.next().done !== true) continue
      this.#isDone = true
      this.#last = this.#found.last
      return false
    }
    return true
  }

  *#collect(): Generator<void, void> {
    const { known } = this.#revisions
    let met = 0
    for (const part of known.all) {
      if (part.baseOffset >= this.#below) return
      const offsets: number[] = []
      for (const entry of part.newestBelow(this.#below)) {
        const isNewest = known.newest(part.hashOf(entry), part.keyOf(entry), this.#below)?.part === part
        if (isNewest) offsets.push(part.offsetOf(entry))
        if (++met % keysAtOnce === 0) yield
      }
      for (const offset of yield* sorting(Float64Array.from(offsets))) this.#found.push(offset)
    }
  }

  next(from: number): number | undefined {
    if (this.#isDone) return this.#found.next(from)
    return this.#isLive ? this.#live.next(from) : undefined
  }

  get last(): number {
    return this.#last
  }
}

const keysAtOnce = 256
/** What a look-up costs, told in bytes of a scan. */
const keyCost = 128
