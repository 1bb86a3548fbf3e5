// The first walk over what is to be packed: which keys there are, and where each revision lies.

import * as batch from '../../protocol/records/batch.ts'
import { hashKey, type KeyHash } from './key-hash.ts'
import type { Chain } from './pack-chain.ts'
import { floats, ints } from './pack-column.ts'
import { type PackOptions, type PackSource, PackTooLarge, packLengthMax } from './pack-job.ts'
import { SourceWalk } from './pack-walk.ts'

const sliceBytes = 1024 * 1024

/** Keys by ordinal, in the order in which they came up. */
export class KeyTable {
  readonly #hash: KeyHash
  #slots = new Int32Array(1024).fill(-1)
  #bytes = Buffer.allocUnsafeSlow(4096)
  readonly #ends = ints()
  readonly hashes = floats()

  constructor(hash: KeyHash = hashKey) {
    this.#hash = hash
  }

  get count(): number {
    return this.hashes.length
  }

  key(ordinal: number): Buffer {
    return this.#bytes.subarray(ordinal === 0 ? 0 : this.#ends.at(ordinal - 1), this.#ends.at(ordinal))
  }

  /** Its ordinal; a new one where the key is new. */
  ordinal(bytes: Buffer, start: number, end: number): number {
    const hash = this.#hash(bytes, start, end)
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot]!
      if (known === -1) return this.#add(hash, bytes, start, end, slot)
      if (this.hashes.at(known) === hash && this.key(known).compare(bytes, start, end) === 0) return known
    }
  }

  #add(hash: number, bytes: Buffer, start: number, end: number, slot: number): number {
    const ordinal = this.count
    const used = ordinal === 0 ? 0 : this.#ends.at(ordinal - 1)
    if (used + end - start > this.#bytes.length) {
      const bigger = Buffer.allocUnsafeSlow(2 * (used + end - start))
      this.#bytes.copy(bigger, 0, 0, used)
      this.#bytes = bigger
    }
    bytes.copy(this.#bytes, used, start, end)
    this.#ends.push(used + end - start)
    this.hashes.push(hash)
    this.#slots[slot] = ordinal
    if (2 * this.count > this.#slots.length) this.#grow()
    return ordinal
  }

  #grow(): void {
    this.#slots = new Int32Array(4 * this.#slots.length).fill(-1)
    const mask = this.#slots.length - 1
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      let slot = this.hashes.at(ordinal) & mask
      while (this.#slots[slot] !== -1) slot = (slot + 1) & mask
      this.#slots[slot] = ordinal
    }
  }
}

/** Every record that stays, in the order of the log. */
export class Scan {
  readonly keys: KeyTable
  /** Ordinal of the key; -1: no revision. */
  readonly keyOf = ints()
  readonly revs = floats()
  readonly offsets = floats()
  readonly times = floats()
  /** Where the value lies: in the source, or behind it in what was unpacked. */
  readonly valueAt = floats()
  /** -1: null. */
  readonly valueLength = ints()
  /** What packed batches hold, by their position. */
  readonly unpacked = new Map<number, Buffer>()
  fullBytes = 0
  readonly #source: PackSource
  readonly #unpackedStarts = floats()
  readonly #unpackedBytes: Buffer[] = []
  /** A chain holds two values at most. */
  readonly #rooms = Array.from({ length: 3 }, () => Buffer.allocUnsafeSlow(0))

  constructor(source: PackSource, { hash }: PackOptions) {
    this.#source = source
    this.keys = new KeyTable(hash)
  }

  get count(): number {
    return this.keyOf.length
  }

  *run({ revs, lengthMax = packLengthMax }: PackOptions): Generator<void, void, void> {
    const walk = new SourceWalk(this.#source, this.unpacked)
    let behind = this.#source.length
    let record = 0
    let slice = 0
    while (walk.next()) {
      if (walk.isBare) continue
      const cursor = walk.records()
      const { bytes, at } = walk
      const isPacked = cursor.bytes !== bytes
      const base = batch.baseOffset(bytes, at)
      const baseTimestamp = batch.baseTimestamp(bytes, at)
      const appendTime = batch.isLogAppendTime(bytes, at) ? batch.maxTimestamp(bytes, at) : undefined
      const valuesAt = isPacked ? behind : walk.position - at
      if (isPacked) {
        this.#unpackedStarts.push(behind)
        this.#unpackedBytes.push(cursor.bytes)
        behind += cursor.bytes.length
        // All of it is in memory.
        if (behind - this.#source.length > lengthMax) throw PackTooLarge.of(this.#source, lengthMax)
      }
      while (cursor.next()) {
        this.fullBytes += cursor.end - cursor.start
        const rev = revs[record++]
        if (rev === undefined) throw new RangeError('there are more records than revision numbers')
        // NaN too.
        if (!(rev >= 0)) continue
        const isRevision = rev > 0 && cursor.keyLength >= 0
        const { keyStart, keyLength } = cursor
        this.keyOf.push(isRevision ? this.keys.ordinal(cursor.bytes, keyStart, keyStart + keyLength) : -1)
        this.revs.push(rev)
        this.offsets.push(base + cursor.offsetDelta)
        this.times.push(appendTime ?? baseTimestamp + cursor.timestampDelta)
        this.valueAt.push(valuesAt + cursor.valueStart)
        this.valueLength.push(cursor.valueLength)
      }
      slice += isPacked ? cursor.bytes.length * 2 : walk.size
      if (slice < sliceBytes) continue
      slice = 0
      yield
    }
    if (record !== revs.length) throw new RangeError(`${revs.length} revision numbers for ${record} records`)
  }

  /** The value of a record: in memory that is used again for a later one, once the chain does not hold it any more. */
  value(record: number, chain: Pick<Chain, 'holds'>): Buffer | null {
    const length = this.valueLength.at(record)
    if (length < 0) return null
    const position = this.valueAt.at(record)
    if (position < this.#source.length) {
      const value = this.#room(length, chain)
      this.#source.read(position, length).copy(value)
      return value
    }
    const starts = this.#unpackedStarts.items
    let low = 0
    for (let high = starts.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= position) low = middle
      else high = middle - 1
    }
    const start = position - starts[low]!
    return this.#unpackedBytes[low]!.subarray(start, start + length)
  }

  /** A copy of its own for each value would be as much for the collector to do as packing is. */
  #room(byteCount: number, chain: Pick<Chain, 'holds'>): Buffer {
    const index = this.#rooms.findIndex((room) => !chain.holds(room.buffer))
    const room = this.#rooms[index]!
    if (room.length < byteCount) this.#rooms[index] = Buffer.allocUnsafeSlow(byteCount + (byteCount >> 3))
    return this.#rooms[index]!.subarray(0, byteCount)
  }
}
