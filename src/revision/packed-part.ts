// The revisions of one pack: all that is asked is in its footer. Of a pack that a fork cuts what lies behind the cut is not there.

import type { KeyHash } from './key-hash.ts'
import type { Pack, PackedKeys } from './pack.ts'
import { countBelow, entryBefore, entryFrom } from './pack-offsets.ts'
import { type Numbered, none, type Part } from './part.ts'
import type { RevisionFormat } from './revision.ts'

/** Each may be in a block of its own that is to be inflated. */
const numberedAtOnce = 16

export class PackedPart implements Part {
  readonly pack: Pack
  readonly baseOffset: number
  readonly nextOffset: number
  readonly #keys: PackedKeys
  readonly #hash: KeyHash

  /** `bound`: what lies from here on does not count. */
  constructor(pack: Pack, bound: number, hash: KeyHash) {
    this.pack = pack
    this.#hash = hash
    this.baseOffset = pack.baseOffset
    this.nextOffset = bound
    this.#keys = pack.keys()
  }

  get hashes(): Float64Array {
    return this.#keys.hashes
  }

  get isCut(): boolean {
    return this.nextOffset < this.pack.nextOffset
  }

  countAtCut(hash: number, key: Uint8Array): number {
    return countBelow(this.pack, this.pack.find(hash, key), this.nextOffset)
  }

  newest(hash: number, key: Uint8Array, below: number): number {
    return this.pack.newest(hash, key, Math.min(below, this.nextOffset))
  }

  previous(entry: number): number {
    return this.pack.previous(entry)
  }

  entryAt(offset: number): number {
    const entry = offset < this.nextOffset ? this.pack.entryAt(offset) : none
    return entry !== none && this.revOf(entry) > 0 ? entry : none
  }

  entryFrom(offset: number): number {
    for (let from = offset; ; ) {
      const entry = entryFrom(this.pack, from)
      if (entry === none) return none
      from = this.offsetOf(entry) + 1
      if (from > this.nextOffset) return none
      if (this.revOf(entry) > 0) return entry
    }
  }

  number(from: number, to: number, into: Numbered): number {
    const end = Math.min(into.offsets.length, into.count + numberedAtOnce)
    let next = from
    while (into.count < end) {
      const entry = this.entryFrom(next)
      if (entry === none) return this.nextOffset
      const offset = this.offsetOf(entry)
      if (offset >= to) return to
      into.offsets[into.count] = offset
      into.revs[into.count] = this.revOf(entry)
      into.sizes[into.count++] = this.pack.sizeOf(entry)
      next = offset + 1
    }
    return next
  }

  isNewest(entry: number): boolean {
    const next = this.#keys.firstEntries[this.pack.ordinalOf(entry) + 1]!
    return entry + 1 === next || (this.isCut && this.offsetOf(entry + 1) >= this.nextOffset)
  }

  *newestBelow(offset: number): Generator<number> {
    const { firstEntries } = this.#keys
    const below = Math.min(offset, this.nextOffset)
    const isWhole = below >= this.pack.nextOffset
    for (let key = 0; key < this.pack.keyCount; key++) {
      const first = firstEntries[key]!
      let entry = firstEntries[key + 1]! - 1
      while (!isWhole && entry >= first && this.offsetOf(entry) >= below) entry--
      if (entry >= first) yield entry
    }
  }

  withScalar(pointer: string, hash: number): Float64Array | undefined {
    if (!this.pack.pointers.includes(pointer)) return undefined
    const offsets = Float64Array.from(this.pack.withScalar(pointer, hash), (entry) => this.offsetOf(entry)).sort()
    return this.isCut ? offsets.filter((offset) => offset < this.nextOffset) : offsets
  }

  last(): number {
    for (let below = this.nextOffset; ; ) {
      const entry = entryBefore(this.pack, below)
      if (entry === none || this.revOf(entry) > 0) return entry
      below = this.offsetOf(entry)
    }
  }

  offsetOf(entry: number): number {
    return this.pack.offsetOf(entry)
  }

  revOf(entry: number): number {
    return this.pack.revOf(entry)
  }

  timestampOf(entry: number): number {
    return this.pack.entry(entry).timestamp
  }

  sizeOf(entry: number): number {
    return this.pack.sizeOf(entry)
  }

  storedOf(entry: number): number {
    return this.pack.entry(entry).stored
  }

  formatOf(entry: number): RevisionFormat {
    return this.pack.entry(entry).format
  }

  keyOf(entry: number): Uint8Array {
    return this.pack.key(this.pack.ordinalOf(entry))
  }

  hashOf(entry: number): number {
    const key = this.keyOf(entry)
    return this.#hash(key, 0, key.length)
  }
}
