// The revisions of files that are not packed, as a scan of the log has met them: 28 bytes each in plain arrays, and every key
// once. Nothing of it is on the disk; a start scans again.
//
//   entries   offset from the base | number | entry before of the same key | key | time | size      as offsets rise
//   keys      newest entry                                                                           by KeyTable

import { enlarged, KeyTable } from './key-table.ts'
import { none, type Part } from './part.ts'
import type { RevisionFormat } from './revision.ts'

const entriesMin = 64
/** A part knows no offsets further apart. */
export const offsetsApartMax = 0xffff_ffff
const tombstone = -1

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
  #nextOffset: number
  #count = 0
  #offsets = new Uint32Array(entriesMin)
  #revs = new Uint32Array(entriesMin)
  #previous = new Int32Array(entriesMin)
  #keys = new Int32Array(entriesMin)
  #timestamps = new Float64Array(entriesMin)
  #sizes = new Int32Array(entriesMin)
  readonly #table = new KeyTable()
  /** By key. */
  #newest = new Int32Array(entriesMin)

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

  get hashes(): Float64Array {
    return this.#table.hashes
  }

  /** Memory that it takes, about. */
  get byteCount(): number {
    return 28 * this.#offsets.length + 4 * this.#newest.length + this.#table.byteCount
  }

  /** Adds a record behind all others; whether its key is new here. `before`: the number of the key's newest revision in older parts. */
  add(met: Met, before: (met: Met) => number): boolean {
    const known = this.#table.count
    const key = this.#table.put(met.hash, met.bytes, met.keyStart, met.keyEnd)
    const isNew = key === known
    if (key === this.#newest.length) this.#newest = enlarged(this.#newest, new Int32Array(2 * key))
    // Who asks for it while its number is being looked for does not find it here.
    if (isNew) this.#newest[key] = none
    const previous = this.#newest[key]!
    const entry = this.#count++
    if (entry === this.#offsets.length) this.#grow()
    this.#offsets[entry] = met.offset - this.baseOffset
    this.#revs[entry] = 1 + (isNew ? before(met) : this.#revs[previous]!)
    this.#previous[entry] = previous
    this.#keys[entry] = key
    this.#timestamps[entry] = met.timestamp
    this.#sizes[entry] = met.size
    this.#newest[key] = entry
    return isNew
  }

  #grow(): void {
    const count = 2 * this.#offsets.length
    this.#offsets = enlarged(this.#offsets, new Uint32Array(count))
    this.#revs = enlarged(this.#revs, new Uint32Array(count))
    this.#previous = enlarged(this.#previous, new Int32Array(count))
    this.#keys = enlarged(this.#keys, new Int32Array(count))
    this.#timestamps = enlarged(this.#timestamps, new Float64Array(count))
    this.#sizes = enlarged(this.#sizes, new Int32Array(count))
  }

  newest(hash: number, key: Uint8Array, below: number): number {
    const known = this.#table.find(hash, key)
    let entry = known === none ? none : this.#newest[known]!
    while (entry !== none && this.offsetOf(entry) >= below) entry = this.#previous[entry]!
    return entry
  }

  previous(entry: number): number {
    return this.#previous[entry]!
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
      if (this.#offsets[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low === this.#count ? none : low
  }

  isNewest(entry: number): boolean {
    return this.#newest[this.#keys[entry]!] === entry
  }

  newestBelow(offset: number): number[] {
    const end = offset >= this.#nextOffset ? none : this.entryFrom(offset)
    const found: number[] = []
    const seen = new Uint8Array(this.#table.count)
    for (let entry = (end === none ? this.#count : end) - 1; entry >= 0; entry--) {
      const key = this.#keys[entry]!
      if (seen[key] === 0) found.push(entry)
      seen[key] = 1
    }
    return found
  }

  withScalar(): undefined {
    return undefined
  }

  last(): number {
    return this.#count - 1
  }

  offsetOf(entry: number): number {
    return this.baseOffset + this.#offsets[entry]!
  }

  revOf(entry: number): number {
    return this.#revs[entry]!
  }

  timestampOf(entry: number): number {
    return this.#timestamps[entry]!
  }

  sizeOf(entry: number): number {
    return Math.max(0, this.#sizes[entry]!)
  }

  storedOf(entry: number): number {
    return this.sizeOf(entry)
  }

  formatOf(entry: number): RevisionFormat {
    return this.#sizes[entry] === tombstone ? 'tombstone' : 'full'
  }

  keyOf(entry: number): Uint8Array {
    return this.#table.bytesOf(this.#keys[entry]!)
  }

  hashOf(entry: number): number {
    return this.#table.hashOf(this.#keys[entry]!)
  }
}
