// What a packer must know of the revisions between two offsets: the number of each, and whether the keep rules let it go. The
// newest of a key is looked for in all of the partition, so it is known here, beside the broker, and told to whoever packs.

import { type KeepRules, KeepWalk, keepsAll } from './keep-rules.ts'
import { offsetOf, type Place } from './known-parts.ts'
import { none } from './part.ts'
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
const sliceMs = 1
const lookEvery = 16

/** Undefined where files took others' places meanwhile: whoever asks again is told. */
export async function packNumbers(revisions: Revisions, wanted: NumbersWanted): Promise<PackNumbers | undefined> {
  return await new Numbering(revisions, wanted).run()
}

class Numbering {
  readonly #revisions: Revisions
  readonly #wanted: NumbersWanted
  #offsets = new Float64Array(1024)
  #revs = new Float64Array(1024)
  #sizes = new Float64Array(1024)
  #count = 0
  #leftOut = 0
  #steps = 0
  #restedAt = performance.now()

  constructor(revisions: Revisions, wanted: NumbersWanted) {
    this.#revisions = revisions
    this.#wanted = wanted
  }

  async run(): Promise<PackNumbers | undefined> {
    const isWhole = (await this.#number()) && (keepsAll(this.#wanted.rules) || (await this.#judge()))
    if (!isWhole) return undefined
    return {
      offsets: this.#offsets.slice(0, this.#count),
      revs: this.#revs.slice(0, this.#count),
      leftOut: this.#leftOut,
    }
  }

  /** Lets others have their turn now and then; false where what is known is no longer what is there. */
  async #goesOn(): Promise<boolean> {
    if (++this.#steps % lookEvery !== 0 || performance.now() - this.#restedAt < sliceMs) return true
    await this.#wanted.rest()
    this.#restedAt = performance.now()
    return !this.#revisions.isOutdated
  }

  async #number(): Promise<boolean> {
    const { known } = this.#revisions
    const { from, to } = this.#wanted
    if (this.#revisions.isOutdated || this.#revisions.indexedOffset < to) return false
    for (let place = known.from(from); place !== undefined; place = known.from(offsetOf(place) + 1)) {
      if (offsetOf(place) >= to) break
      this.#add(place)
      if (!(await this.#goesOn())) return false
    }
    return true
  }

  #add({ part, entry }: Place): void {
    if (this.#count === this.#offsets.length) {
      this.#offsets = enlarged(this.#offsets)
      this.#revs = enlarged(this.#revs)
      this.#sizes = enlarged(this.#sizes)
    }
    this.#offsets[this.#count] = part.offsetOf(entry)
    this.#revs[this.#count] = part.revOf(entry)
    this.#sizes[this.#count] = part.sizeOf(entry)
    this.#count++
  }

  /** Walks each key once, from its newest revision back to the first offset. */
  async #judge(): Promise<boolean> {
    const { known } = this.#revisions
    const { from, rules, now } = this.#wanted
    const walk = new KeepWalk(rules, now)
    const isMet = new Uint8Array(this.#count)
    for (let i = this.#count - 1; i >= 0; i--) {
      // Where small values all stay, a key is looked at for its large ones alone.
      if (isMet[i] === 1 || (rules.keep.all && this.#sizes[i]! < rules.largeBytes)) continue
      const here = known.at(this.#offsets[i]!)
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
    this.#revs[index] = -this.#revs[index]!
    this.#leftOut++
  }

  #indexOf(offset: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#offsets[middle]! < offset) low = middle + 1
      else high = middle
    }
    return this.#offsets[low] === offset && low < this.#count ? low : -1
  }
}

function enlarged(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * array.length)
  larger.set(array)
  return larger
}
