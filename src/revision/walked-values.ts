// Values of a pack for who reads in the order of the log: all those of a run at once, in the order of their entries, each to where it is
// wanted. A run's next revision of a key is made of the one just written; beyond the run only that is kept of each key which its next
// values are made of, in memory that is written over again and again. A reader of many keys leaves nothing to collect.

import { DamagedRecords } from '../../protocol/errors.ts'
import { DeltaError } from './decode-delta.ts'
import { KeptValues } from './kept-values.ts'
import type { CacheRoom } from './pack-cache.ts'
import { anchorDistance, deltaFromAnchor, deltaFromPrevious, full, tombstone } from './pack-entries.ts'
import type { ValueBlock } from './pack-values.ts'
import { type LookedEntries, type PackedValues, use } from './packed-values.ts'
import { copyTo, noWords, Words } from './value-memory.ts'

/**
 * Entries, ascending; those of a key stand one behind the other and without gaps, as a piece of the log has them. Of each what it is, the
 * key (by its ordinal), and where its value is to be.
 */
export type WantedValues = LookedEntries & {
  readonly keys: Int32Array
  readonly places: Int32Array
}

/** For chains from their beginning on: a value and what it is made of. */
let scratches: [Words, Words] = [noWords, noWords]
const scratchMax = 1024 * 1024
const nothing = -1

/** So many entries are looked at ahead: no more than the fastest memory of a processor holds. */
const aheadCount = 32
/** Of each its block, and where it begins there. For all packs, as nobody looks on while a run is written: a pack that rests holds nothing. */
const blocks: ValueBlock[] = []
const starts = new Int32Array(aheadCount)

export class WalkedValues {
  readonly #path: string
  readonly #room: CacheRoom
  readonly #values: PackedValues
  readonly #kept: KeptValues
  /** What looking at them came to: somebody must want it, or the compiler leaves it out. */
  #seen = 0
  /** The base found last. */
  #base = noWords
  #baseAt = 0

  /** `valueBytes`: of a value, on average. */
  constructor(path: string, room: CacheRoom, values: PackedValues, keyCount: number, valueBytes: number) {
    this.#path = path
    this.#room = room
    this.#values = values
    this.#kept = new KeptValues(room, keyCount, keyCount * valueBytes)
  }

  /** Writes all but tombstones, each to its place, where there is room for it. */
  write(wanted: WantedValues, into: Buffer): void {
    const { count, entries, keys, places, kinds, sizes, uses } = wanted
    const values = this.#values
    // What the last run looked at is looked at no more.
    this.#room.slabs.settle()
    const target = new Words(into)
    // Of the key that is written: what was kept of it for this run, and gives way to what is kept for the next.
    let left = nothing
    let leftAnchor = nothing
    for (let i = 0; i < count; i++) {
      const ahead = i % aheadCount
      if (ahead === 0) this.#lookAhead(wanted, i)
      const entry = entries[i]!
      const key = keys[i]!
      const kind = kinds[i]!
      const used = uses[i]!
      if (i === 0 || keys[i - 1] !== key) {
        left = kind === deltaFromPrevious && (used & use.anchorBefore) === 0 ? entry - 1 : nothing
        leftAnchor = nothing
      }
      const isLast = i + 1 === count || keys[i + 1] !== key
      const size = sizes[i]!
      const at = places[i]!
      if (kind === full) {
        const start = starts[ahead]!
        values.checkFull(entry, blocks[ahead]!, start)
        copyTo(target, at, blocks[ahead]!.words, start, start + size)
      } else if (kind !== tombstone) {
        const distance = kind === deltaFromPrevious ? 1 : anchorDistance
        const base = entry - distance
        if (i >= distance && entries[i - distance] === base && kinds[i - distance] !== tombstone) {
          this.#base = target
          this.#baseAt = places[i - distance]!
        } else this.#find(key, base, entry)
        this.#apply(entry, blocks[ahead]!, starts[ahead]!, wanted.baseSizes[i]!, target, at, size)
        const isAnchor = kind !== deltaFromPrevious
        if (isAnchor && leftAnchor === nothing) leftAnchor = base
        const isLastAnchor = isAnchor && (i + anchorDistance >= count || keys[i + anchorDistance] !== key)
        const isBase = isLast && (used & use.next) !== 0
        if (isBase || (isLastAnchor && (used & use.anchor) !== 0)) {
          this.#kept.keep(key, entry, isAnchor ? leftAnchor : left, target, at, size)
          if (!isAnchor) left = nothing
        }
      }
      if (isLast && left !== nothing) this.#kept.drop(key, left)
    }
    this.#base = noWords
  }

  /**
   * Finds where the next entries are stored, and looks at that and at what their values are made of: each lies elsewhere in memory, and
   * a processor that is asked for one thing of many at a time has them all in the time that it takes for one.
   */
  #lookAhead({ count, entries, keys }: WantedValues, first: number): void {
    const values = this.#values
    const end = Math.min(aheadCount, count - first)
    for (let i = 0; i < end; i++) {
      blocks[i] = values.blockOf(entries[first + i]!)
      starts[i] = values.index
    }
    let seen = 0
    for (let i = 0; i < end; i++) starts[i] = blocks[i]!.place(starts[i]!)
    for (let i = 0; i < end; i++) seen += blocks[i]!.words.bytes[Math.max(starts[i]!, ~starts[i]!)]!
    for (let i = 0; i < end; i++) seen += this.#kept.touch(keys[first + i]!)
    this.#seen ^= seen
  }

  /** Whether a value is what the next anchor is made of. */
  #isAnchorBase(entry: number): boolean {
    return (
      entry >= 0 &&
      this.#values.kind(entry) === deltaFromAnchor &&
      this.#values.kind(entry + anchorDistance) === deltaFromAnchor
    )
  }

  #apply(
    entry: number,
    block: ValueBlock,
    place: number,
    baseSize: number,
    target: Words,
    at: number,
    size: number,
  ): void {
    try {
      block.apply(place, this.#base, this.#baseAt, baseSize, target, at, size)
    } catch (cause) {
      if (!(cause instanceof DeltaError)) throw cause
      throw new DamagedRecords(`${this.#path}: the delta of entry ${entry} ${cause.message}`)
    }
  }

  /** Has the value of an entry in `#base`, as it is kept or made of what comes before it. */
  #find(key: number, entry: number, wanted: number): void {
    if (this.#isAtHand(key, entry, wanted)) return
    const deltas: number[] = []
    let longest = 0
    for (let at = entry; !this.#isAtHand(key, at, wanted); ) {
      deltas.push(at)
      longest = Math.max(longest, this.#values.size(at))
      at -= this.#values.kind(at) === deltaFromPrevious ? 1 : anchorDistance
    }
    let scratch = scratches
    if (scratch[0].bytes.length < longest) {
      scratch = [new Words(Buffer.allocUnsafeSlow(longest)), new Words(Buffer.allocUnsafeSlow(longest))]
      if (longest <= scratchMax) scratches = scratch
    }
    for (let i = deltas.length - 1; i >= 0; i--) {
      const at = deltas[i]!
      const kind = this.#values.kind(at)
      const size = this.#values.size(at)
      const target = scratch[i & 1]!
      const block = this.#values.valueBlock(at)
      this.#apply(
        at,
        block,
        this.#values.place,
        this.#values.size(at - (kind === deltaFromPrevious ? 1 : anchorDistance)),
        target,
        0,
        size,
      )
      // The last anchor is what the next one is made of.
      if (
        kind === deltaFromAnchor &&
        (i === 0 || this.#values.kind(deltas[i - 1]!) !== kind) &&
        this.#isAnchorBase(at)
      ) {
        this.#kept.keep(key, at, at - anchorDistance, target, 0, size)
      }
      this.#base = target
      this.#baseAt = 0
    }
  }

  /** Where nothing has to be made. */
  #isAtHand(key: number, entry: number, wanted: number): boolean {
    const kind = entry < 0 ? tombstone : this.#values.kind(entry)
    if (kind === tombstone) throw new DamagedRecords(`${this.#path}: entry ${wanted} is a delta from nothing`)
    if (kind === full) {
      this.#base = this.#values.fullBlock(entry).words
      this.#baseAt = this.#values.place
      return true
    }
    if (!this.#kept.find(key, entry)) return false
    this.#base = this.#kept.words
    this.#baseAt = this.#kept.at
    return true
  }
}
