// What views of the kind `state` show: the newest revision of each key, of all or of those below an offset.

import { offsetOf } from './known-parts.ts'
import { sorting } from './pack-sort.ts'
import type { Part } from './part.ts'
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
  /** Where that was found. */
  #parts: readonly Part[] = []
  #work: Generator<void, RisingOffsets> | undefined
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
    if (!this.#isDone && this.#isLive) {
      this.#last = this.#live.last
      return this.#live.advance(bytes)
    }
    const { filesVersion } = this.#revisions.log
    if (this.#filesVersion !== filesVersion) {
      // What it goes through is not there any more.
      this.#filesVersion = filesVersion
      const parts = this.#revisions.known.all.filter(({ baseOffset }) => baseOffset < this.#below)
      // Where it was packed a keep rule may have taken the newest of a key: one before it that is left is the newest now.
      const isOther = parts.some((part) => !this.#parts.includes(part))
      if (!this.#isDone || this.#work !== undefined || isOther) this.#work = this.#collect()
      this.#parts = parts
    }
    const work = this.#work
    for (let left = bytes; work !== undefined; left -= keysAtOnce * keyCost) {
      if (left <= 0) return true
      const { done, value } = work.next()
      if (done !== true) continue
      this.#work = undefined
      this.#isDone = true
      this.#found = value
      this.#last = value.last
      return false
    }
    return false
  }

  *#collect(): Generator<void, RisingOffsets> {
    const { known } = this.#revisions
    const found = new RisingOffsets()
    let met = 0
    for (const part of known.all) {
      if (part.baseOffset >= this.#below) break
      const offsets: number[] = []
      for (const entry of part.newestBelow(this.#below)) {
        const isNewest = known.newest(part.hashOf(entry), part.keyOf(entry), this.#below)?.part === part
        if (isNewest) offsets.push(part.offsetOf(entry))
        if (++met % keysAtOnce === 0) yield
      }
      for (const offset of yield* sorting(Float64Array.from(offsets))) found.push(offset)
    }
    return found
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
