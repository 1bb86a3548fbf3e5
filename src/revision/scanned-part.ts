// The revisions of files that are not packed, as a scan of the log has met them: 28 bytes each in plain arrays, and every key
// once. Nothing of it is on the disk; a start scans again.
//
//   entries   offset from the base | number | entry before of the same key | key | time | size      as offsets rise
//   keys      newest entry                                                                           by KeyTable

import { float64s, int32s, uint32s } from './column.ts'
import { KeyTable } from './key-table.ts'
import { type Numbered, none, type Part } from './part.ts'
import type { RevisionFormat } from './revision.ts'

/** A part knows no offsets further apart. */
export const offsetsApartMax = 0xffff_ffff
const tombstone = -1
/** A tenth of a millisecond. */
const numberedAtOnce = 4096

/** A record that a scan has met: its key lies in `bytes`. */
export type Met = {
  hash: number
  bytes: Uint8Array
  keyStart: number
  keyEnd: number
  offset: number
  timestamp: number
  /** Of the value; -1: a tombstone. */
  size: number
}

export class ScannedPart implements Part {
  readonly baseOffset: number
  readonly isCut = false
  #nextOffset: number
  #count = 0
  readonly #offsets = uint32s()
  readonly #revs = uint32s()
  readonly #previous = int32s()
  readonly #keys = int32s()
  readonly #timestamps = float64s()
  readonly #sizes = int32s()
  readonly #table = new KeyTable()
  /** By key. */
  readonly #newest = int32s()

  constructor(baseOffset: number) {
    this.baseOffset = baseOffset
    this.#nextOffset = baseOffset
  }

  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Everything below was looked at. */
  reached(offset: number): void {
    this.#nextOffset = Math.max(this.#nextOffset, offset)
  }

  get count(): number {
    return this.#count
  }

  /** Memory that it takes, about. */
  get byteCount(): number {
    return 7 * this.#offsets.byteCount + this.#newest.byteCount + this.#table.byteCount
  }

  /**
   * Adds a record behind all others; whether its key is new here. `before`: the number of the key's newest revision in older
   * parts, or of what is gone. `goneUpTo`: behind one that is not behind this some may be gone.
   */
  add(met: Met, before: (met: Met) => number, goneUpTo: number): boolean {
    // It came before, in front of one whose number could not be told.
    if (this.#count > 0 && this.offsetOf(this.#count - 1) >= met.offset) return false
    const { count } = this.#table
    const key = this.#table.put(met.hash, met.bytes, met.keyStart, met.keyEnd)
    // Who asks for it while its number is being looked for does not find it here.
    if (key === count) this.#newest.set(key, none)
    const previous = this.#newest.at(key)
    const isNew = previous === none
    const known = isNew ? 0 : this.#revs.at(previous)
    const asks = isNew || this.offsetOf(previous) <= goneUpTo
    // Where an older part is damaged this throws, and the record is met again.
    const rev = 1 + (asks ? Math.max(known, before(met)) : known)
    const entry = this.#count++
    this.#offsets.set(entry, met.offset - this.baseOffset)
    this.#revs.set(entry, rev)
    this.#previous.set(entry, previous)
    this.#keys.set(entry, key)
    this.#timestamps.set(entry, met.timestamp)
    this.#sizes.set(entry, met.size)
    this.#newest.set(key, entry)
    return isNew
  }

  countAtCut(): number {
    return 0
  }

  newest(hash: number, key: Uint8Array, below: number): number {
    const known = this.#table.find(hash, key)
    let entry = known === none ? none : this.#newest.at(known)
    while (entry !== none && this.offsetOf(entry) >= below) entry = this.#previous.at(entry)
    return entry
  }

  previous(entry: number): number {
    return this.#previous.at(entry)
  }

  entryAt(offset: number): number {
    const entry = this.entryFrom(offset)
    return entry !== none && this.offsetOf(entry) === offset ? entry : none
  }

  entryFrom(offset: number): number {
    const wanted = offset - this.baseOffset
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#offsets.at(middle) < wanted) low = middle + 1
      else high = middle
    }
    return low === this.#count ? none : low
  }

  number(from: number, to: number, into: Numbered): number {
    const first = this.entryFrom(from)
    if (first === none) return this.#nextOffset
    const most = Math.min(this.#count - first, into.offsets.length - into.count, numberedAtOnce)
    for (let entry = first; entry < first + most; entry++) {
      const offset = this.offsetOf(entry)
      if (offset >= to) return to
      into.offsets[into.count] = offset
      into.revs[into.count] = this.#revs.at(entry)
      into.sizes[into.count++] = this.sizeOf(entry)
    }
    return first + most === this.#count ? this.#nextOffset : this.offsetOf(first + most)
  }

  isNewest(entry: number): boolean {
    return this.#newest.at(this.#keys.at(entry)) === entry
  }

  *newestBelow(offset: number): Generator<number> {
    const end = offset >= this.#nextOffset ? none : this.entryFrom(offset)
    const seen = new Uint8Array(this.#table.count)
    for (let entry = (end === none ? this.#count : end) - 1; entry >= 0; entry--) {
      const key = this.#keys.at(entry)
      if (seen[key] === 0) yield entry
      seen[key] = 1
    }
  }

  withScalar(): undefined {
    return undefined
  }

  last(): number {
    return this.#count - 1
  }

  offsetOf(entry: number): number {
    return this.baseOffset + this.#offsets.at(entry)
  }

  revOf(entry: number): number {
    return this.#revs.at(entry)
  }

  timestampOf(entry: number): number {
    return this.#timestamps.at(entry)
  }

  sizeOf(entry: number): number {
    return Math.max(0, this.#sizes.at(entry))
  }

  storedOf(entry: number): number {
    return this.sizeOf(entry)
  }

  formatOf(entry: number): RevisionFormat {
    return this.#sizes.at(entry) === tombstone ? 'tombstone' : 'full'
  }

  keyOf(entry: number): Uint8Array {
    return this.#table.bytesOf(this.#keys.at(entry))
  }

  hashOf(entry: number): number {
    return this.#table.hashOf(this.#keys.at(entry))
  }
}
