// How a revision is stored: full, or as a delta, and from which one. Chains have two levels: every 16th revision is a delta from the
// 16th before it, the others from the one before, so that the 256th needs 15 deltas of one kind and 15 of the other and not 255.
//
//   full ─ 1 ─ 2 ─ … ─ 15
//    └──────────────────── 16 ─ 17 ─ … ─ 31
//                           └──────────────── 32 ─ …

import type { DeltaScript } from './delta-script.ts'
import { findScript } from './encode-delta.ts'
import { deflatedLength } from './pack-blocks.ts'
import { anchorDistance, deltaFromAnchor, deltaFromPrevious, full, tombstone } from './pack-entries.ts'

/** What the deltas for one read may decode to, all together. */
const hopBytesMax = 16 * 1024 * 1024
/** A delta is stored if it is shorter than this share of the deflated value. */
const deltaShare = 0.6
/** Shorter copies are bytes to add: deflate finds most of them again, and makes more of what is left (bench/revision: a fifth). */
const copyMin = 16

/** `script`: of a delta; what else there is is the value itself. */
export type Stored = { kind: number; script: DeltaScript | undefined }

const nothing = Buffer.alloc(0)

/** Deltas to apply for the value at a place of a chain. */
export const hops = (place: number): number => Math.floor(place / anchorDistance) + (place % anchorDistance)

/** Most deltas that any of the first `place + 1` values of a chain needs. */
const hopsMax = (place: number): number =>
  place < anchorDistance ? place : Math.floor(place / anchorDistance) + anchorDistance - 1

/** The values of one key, oldest first. */
export class Chain {
  readonly #keyframeEvery: number
  readonly #diffMaxBytes: number
  /** Values in the chain so far; 0: the next is full. */
  #length = 0
  #longest = 0
  /**
   * The last value deflated has at least so many bytes, 0 where nobody knows. To deflate each value only to know would cost more than
   * all the rest; but a value with what its delta says and what the delta left out makes the value before, so it has no less than that.
   */
  #deflatedMin = 0
  #previous: Buffer = nothing
  #anchor: Buffer = nothing

  constructor(keyframeEvery: number, diffMaxBytes: number) {
    this.#keyframeEvery = keyframeEvery
    this.#diffMaxBytes = diffMaxBytes
  }

  /** The next key. */
  restart(): void {
    this.#length = 0
    this.#previous = nothing
    this.#anchor = nothing
  }

  /** Whether the next values may be deltas from one that lies in this memory. */
  holds(memory: ArrayBufferLike): boolean {
    return this.#previous.buffer === memory || this.#anchor.buffer === memory
  }

  /** Keeps the value: it must not change for as long as `holds` says so. */
  next(value: Buffer | null): Stored {
    if (value === null) {
      this.restart()
      return { kind: tombstone, script: undefined }
    }
    const script = this.#script(value)
    const place = script === undefined ? 0 : this.#length
    const isAnchor = place % anchorDistance === 0
    if (script === undefined) {
      this.#longest = 0
      this.#deflatedMin = 0
    }
    this.#length = place + 1
    this.#longest = Math.max(this.#longest, value.length)
    this.#previous = value
    if (isAnchor) this.#anchor = value
    // Neither is the base of anything, and an empty one has no deltas from it that were worth it.
    if (value.length > this.#diffMaxBytes || value.length === 0) this.restart()
    return { kind: script === undefined ? full : isAnchor ? deltaFromAnchor : deltaFromPrevious, script }
  }

  #script(value: Buffer): DeltaScript | undefined {
    const place = this.#length
    if (place === 0 || place >= this.#keyframeEvery || value.length === 0 || value.length > this.#diffMaxBytes) return
    if (hopsMax(place) * Math.max(this.#longest, value.length) > hopBytesMax) return
    const base = place % anchorDistance === 0 ? this.#anchor : this.#previous
    const found = findScript(base, value, Math.ceil(deltaShare * value.length), copyMin)
    return found !== undefined && this.#isWorth(found, base, value) ? found.script : undefined
  }

  #isWorth({ script, deltaBytes }: Found, base: Buffer, value: Buffer): boolean {
    if (this.#deflatedMin === 0) this.#deflatedMin = deflatedLength(base)
    this.#deflatedMin -= deltaBytes + base.length - reachOf(script, base.length)
    if (deltaBytes < deltaShare * this.#deflatedMin) return true
    this.#deflatedMin = deflatedLength(value)
    return deltaBytes < deltaShare * this.#deflatedMin
  }
}

type Found = NonNullable<ReturnType<typeof findScript>>

/** At least so many bytes of the source are in the target too. */
function reachOf({ addresses, lengths, count }: DeltaScript, sourceLength: number): number {
  let reached = 0
  let covered = 0
  for (let i = 0; i < count; i++) {
    const end = addresses[i]! + lengths[i]!
    if (end <= reached || end > sourceLength) continue
    covered += end - Math.max(reached, addresses[i]!)
    reached = end
  }
  return covered
}
