// Values of a pack for who reads in the order of the log: each is written to where it is wanted, and of each key only what its next
// values are made of is kept, in memory that is written over again and again. A reader of many keys leaves nothing to collect.

import { DamagedRecords } from '../../protocol/errors.ts'
import { DeltaError } from './decode-delta.ts'
import { KeptValues } from './kept-values.ts'
import type { CacheRoom } from './pack-cache.ts'
import { anchorDistance, deltaFromAnchor, deltaFromPrevious, full, tombstone } from './pack-entries.ts'
import type { PackedValues } from './packed-values.ts'
import { copyTo } from './value-memory.ts'

/** For chains from their beginning on: a value and what it is made of. */
let scratches: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)]
const scratchMax = 1024 * 1024
const nothing = -1

export class WalkedValues {
  readonly #path: string
  readonly #values: PackedValues
  readonly #kept: KeptValues
  /** The base found last. */
  #base: Uint8Array = Buffer.alloc(0)
  #baseAt = 0

  /** `valueBytes`: of a value, on average. */
  constructor(path: string, room: CacheRoom, values: PackedValues, valueBytes: number) {
    this.#path = path
    this.#values = values
    this.#kept = new KeptValues(room, valueBytes)
  }

  /** Writes the value of an entry of a key (by its ordinal), which is no tombstone, to a place that has room for it. */
  write(key: number, entry: number, target: Buffer, at: number): void {
    const kind = this.#values.kind(entry)
    const size = this.#values.size(entry)
    if (kind === full) {
      const { bytes } = this.#values.fullBlock(entry)
      const from = this.#values.start
      copyTo(target, at, bytes, from, from + size)
      return
    }
    const base = entry - (kind === deltaFromPrevious ? 1 : anchorDistance)
    this.#find(key, base, entry)
    this.#apply(entry, base, target, at, size)
    this.#keep(key, entry, kind, target, at, size)
  }

  #apply(entry: number, base: number, target: Buffer, at: number, size: number): void {
    const block = this.#values.valueBlock(entry)
    const { place } = this.#values
    try {
      block.apply(place, this.#base, this.#baseAt, this.#values.size(base), target, at, size)
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
    if (scratch[0].length < longest) {
      scratch = [Buffer.allocUnsafeSlow(longest), Buffer.allocUnsafeSlow(longest)]
      if (longest <= scratchMax) scratches = scratch
    }
    for (let i = deltas.length - 1; i >= 0; i--) {
      const at = deltas[i]!
      const kind = this.#values.kind(at)
      const size = this.#values.size(at)
      const target = scratch[i & 1]!
      this.#apply(at, at - (kind === deltaFromPrevious ? 1 : anchorDistance), target, 0, size)
      // The last anchor is what the next one is made of.
      if (kind === deltaFromAnchor && (i === 0 || this.#values.kind(deltas[i - 1]!) !== kind)) {
        this.#keep(key, at, kind, target, 0, size)
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
      this.#base = this.#values.fullBlock(entry).bytes
      this.#baseAt = this.#values.start
      return true
    }
    if (!this.#kept.find(key, entry)) return false
    this.#base = this.#kept.bytes
    this.#baseAt = this.#kept.at
    return true
  }

  /** Keeps a value for those after it, in the place of one that nobody needs any more. */
  #keep(key: number, entry: number, kind: number, bytes: Buffer, at: number, size: number): void {
    const isAnchor = kind === deltaFromAnchor
    const isBase = this.#values.kind(entry + 1) === deltaFromPrevious
    const isNeeded = isBase || (isAnchor && this.#values.kind(entry + anchorDistance) === deltaFromAnchor)
    // An anchor takes the place of the anchor before; another value that of the one before, which is no anchor, or of the one
    // before that, which the anchor between them left behind.
    const before = isAnchor ? entry - anchorDistance : entry - 1
    const spare = isAnchor || this.#values.kind(before) === deltaFromPrevious ? before : before - 1
    if (isNeeded) this.#kept.keep(key, entry, Math.max(nothing, spare), bytes, at, size)
    else if (spare >= 0) this.#kept.drop(key, spare)
  }
}
