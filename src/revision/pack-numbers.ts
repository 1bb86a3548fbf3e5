// What a packer must know of the revisions between two offsets: the number of each, and whether the keep rules let it go. The
// newest of a key is looked for in all of the partition, so it is known here, beside the broker, and told to whoever packs.

import { type KeepRules, KeepWalk, keepsAll } from './keep-rules.ts'
import { offsetOf } from './known-parts.ts'
import { type Numbered, none } from './part.ts'
import type { Revisions } from './revisions.ts'

export type PackNumbers = {
  /** Of the revisions, ascending. */
  offsets: Float64Array
  /** Their numbers; negative: left out. */
  revs: Float64Array
  leftOut: number
}

export type NumbersWanted = {
  readonly from: number
  readonly to: number
  readonly rules: KeepRules
  /** Broker time, for rules that count hours and days. */
  readonly now: number
  /** Offsets that stay whatever the rules say: a view ends there. */
  readonly spared: ReadonlySet<number>
  /** Others have their turn. */
  readonly rest: () => Promise<void>
}

/** Milliseconds without a rest. */
const sliceMs = 0.25
const lookEvery = 16
const roomAtFirst = 1024 * 1024

/** Undefined where files took others' places meanwhile: whoever asks again is told. */
export async function packNumbers(revisions: Revisions, wanted: NumbersWanted): Promise<PackNumbers | undefined> {
  return await new Numbering(revisions, wanted).run()
}

class Numbering {
  readonly #revisions: Revisions
  readonly #wanted: NumbersWanted
  readonly #found: Numbered
  #leftOut = 0
  #steps = 0
  #restedAt = performance.now()

  constructor(revisions: Revisions, wanted: NumbersWanted) {
    this.#revisions = revisions
    this.#wanted = wanted
    // No more than there are offsets, unless most of them are holes.
    const room = Math.min(Math.max(1, wanted.to - wanted.from), roomAtFirst)
    this.#found = {
      offsets: new Float64Array(room),
      revs: new Float64Array(room),
      sizes: new Float64Array(room),
      count: 0,
    }
  }

  async run(): Promise<PackNumbers | undefined> {
    const isWhole = (await this.#number()) && (keepsAll(this.#wanted.rules) || (await this.#judge()))
    if (!isWhole) return undefined
    return {
      offsets: this.#found.offsets.subarray(0, this.#found.count),
      revs: this.#found.revs.subarray(0, this.#found.count),
      leftOut: this.#leftOut,
    }
  }

  /** Lets others have their turn now and then; false where what is known is no longer what is there. */
  async #goesOn(): Promise<boolean> {
    return ++this.#steps % lookEvery !== 0 || (await this.#hasTime())
  }

  async #hasTime(): Promise<boolean> {
    if (performance.now() - this.#restedAt < sliceMs) return true
    await this.#wanted.rest()
    this.#restedAt = performance.now()
    return !this.#revisions.isOutdated
  }

  async #number(): Promise<boolean> {
    const { from, to } = this.#wanted
    if (this.#revisions.isOutdated || this.#revisions.indexedOffset < to) return false
    for (let next = from; next < to; ) {
      if (this.#found.count === this.#found.offsets.length) this.#enlarge()
      next = this.#revisions.known.number(next, to, this.#found)
      if (!(await this.#hasTime())) return false
    }
    return true
  }

  #enlarge(): void {
    const found = this.#found
    found.offsets = enlarged(found.offsets)
    found.revs = enlarged(found.revs)
    found.sizes = enlarged(found.sizes)
  }

  /** Walks each key once, from its newest revision back to the first offset. */
  async #judge(): Promise<boolean> {
    const { known } = this.#revisions
    const { from, rules, now } = this.#wanted
    const walk = new KeepWalk(rules, now)
    const { offsets, sizes, count } = this.#found
    const isMet = new Uint8Array(count)
    for (let i = count - 1; i >= 0; i--) {
      // Where small values all stay, a key is looked at for its large ones alone.
      if (isMet[i] === 1 || (rules.keep.all && sizes[i]! < rules.largeBytes)) continue
      const here = known.at(offsets[i]!)
      if (here === undefined) return false
      walk.restart()
      for (let place = known.newestOf(here.part.keyOf(here.entry)); place !== undefined; place = known.before(place)) {
        const offset = offsetOf(place)
        if (offset < from) break
        const stays = walk.keeps(place.part.timestampOf(place.entry), place.part.sizeOf(place.entry))
        const met = this.#indexOf(offset)
        if (met >= 0) {
          isMet[met] = 1
          if (!stays && !this.#wanted.spared.has(offset)) this.#leaveOut(met)
        }
        if (!(await this.#goesOn())) return false
        // Nothing older is of any interest, and it may be damaged.
        if (place.part.baseOffset <= from && place.part.previous(place.entry) === none) break
      }
    }
    return true
  }

  #leaveOut(index: number): void {
    this.#found.revs[index] = -this.#found.revs[index]!
    this.#leftOut++
  }

  #indexOf(offset: number): number {
    const { offsets, count } = this.#found
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >> 1
      if (offsets[middle]! < offset) low = middle + 1
      else high = middle
    }
    return offsets[low] === offset && low < count ? low : -1
  }
}

function enlarged(array: Float64Array): Float64Array {
  const larger = new Float64Array(2 * array.length)
  larger.set(array)
  return larger
}
