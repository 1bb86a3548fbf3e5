// The stored values of some entries, about 64 KiB: full ones, and deltas as scripts (delta-script.ts), number by number.
//
//   entries varint | lengths of the columns varint ×7 | columns:
//   kinds     varint of each entry: 0 full or a tombstone, n + 1 a delta with n copies
//   sizes     varint: of what is full its bytes; of a delta the bytes behind its last copy, or all that it adds where it has none
//   gaps      varint of each copy: bytes to add between the copy before, or the start, and it
//   lengths   varint of each copy but the last, which ends where `sizes` says
//   shifts    varint64 of each copy: where it is from, less where it would be if bytes had only been replaced since the copy before
//   full      the values
//   added     the bytes to add, of all deltas, to the end
//
// How long the value of a delta is does not stand here: its entry says it.

import { Cursor } from '../../protocol/varint.ts'
import { DeltaError } from './decode-delta.ts'
import type { DeltaScript } from './delta-script.ts'
import { Column, joinColumns } from './pack-column.ts'
import { copyTo } from './value-memory.ts'

const columnCount = 7

export class ValueColumns {
  readonly #kinds = new Column()
  readonly #sizes = new Column()
  readonly #gaps = new Column()
  readonly #lengths = new Column()
  readonly #shifts = new Column()
  readonly #full = new Column(64 * 1024)
  readonly #added = new Column(4 * 1024)
  readonly #columns = [this.#kinds, this.#sizes, this.#gaps, this.#lengths, this.#shifts, this.#full, this.#added]
  count = 0

  get byteCount(): number {
    let sum = 0
    for (const { length } of this.#columns) sum += length
    return sum
  }

  clear(): void {
    for (const column of this.#columns) column.clear()
    this.count = 0
  }

  addFull(value: Buffer): void {
    this.#kinds.unsigned(0)
    this.#sizes.unsigned(value.length)
    this.#full.raw(value)
    this.count++
  }

  addScript({ starts, addresses, lengths, count, added }: DeltaScript, targetLength: number): void {
    this.#kinds.unsigned(count + 1)
    let end = 0
    let next = 0
    for (let i = 0; i < count; i++) {
      const gap = starts[i]! - end
      this.#gaps.unsigned(gap)
      if (i < count - 1) this.#lengths.unsigned(lengths[i]!)
      this.#shifts.signed(addresses[i]! - next - gap)
      end = starts[i]! + lengths[i]!
      next = addresses[i]! + lengths[i]!
    }
    this.#sizes.unsigned(targetLength - end)
    this.#added.raw(added)
    this.count++
  }

  bytes(): Buffer {
    const count = new Column(8)
    count.unsigned(this.count)
    return Buffer.concat([count.bytes, joinColumns(this.#columns)])
  }
}

/** Of every fourth entry a row says where it begins in each column; those between are found from there, and cost no memory. */
const rowEvery = 4
const rowLength = columnCount

/** A block, read. Entries are numbered from its first one. */
export class ValueBlock {
  readonly bytes: Buffer
  readonly count: number
  readonly #rows: Int32Array
  /** In the order of the columns. */
  readonly #cursors: Cursors
  /** The entry looked at: how many copies it has and one more, its size, and where it begins in the columns behind. */
  #found = -1
  #kind = 0
  #size = 0
  #gapsAt = 0
  #lengthsAt = 0
  #shiftsAt = 0
  #bytesAt = 0

  /** Throws ProtocolViolation where the bytes are none. */
  constructor(bytes: Buffer) {
    const cursor = new Cursor(bytes)
    const count = cursor.unsignedVarint()
    const lengths = Array.from({ length: columnCount }, () => cursor.unsignedVarint())
    const cursors = lengths.map((length) => {
      const start = cursor.position
      cursor.skip(length)
      return new Cursor(bytes, start, start + length)
    }) as Cursors
    const [kinds] = cursors
    // Each entry has a byte at least, so nothing is made from a count that the bytes do not hold.
    new Cursor(bytes, kinds.position, kinds.end).skip(count)
    this.bytes = bytes
    this.count = count
    this.#cursors = cursors
    this.#rows = new Int32Array(Math.ceil(count / rowEvery) * rowLength)
    for (let i = 0; i < count; i++) {
      if (i % rowEvery === 0) {
        const row = (i / rowEvery) * rowLength
        for (let column = 0; column < columnCount; column++) this.#rows[row + column] = cursors[column]!.position
      }
      this.#pass()
    }
  }

  /** The cursors go behind an entry. */
  #pass(): void {
    const [kinds, sizes, gaps, lengths, shifts, full, added] = this.#cursors
    const kind = kinds.unsignedVarint()
    const size = sizes.unsignedVarint()
    if (kind === 0) {
      full.skip(size)
      return
    }
    let addedBytes = size
    for (let copy = 1; copy < kind; copy++) addedBytes += gaps.unsignedVarint()
    for (let copy = 2; copy < kind; copy++) skipVarint(lengths)
    for (let copy = 1; copy < kind; copy++) skipVarint(shifts)
    added.skip(addedBytes)
  }

  #find(index: number): void {
    if (index === this.#found) return
    const cursors = this.#cursors
    const row = Math.floor(index / rowEvery) * rowLength
    for (let column = 0; column < columnCount; column++) cursors[column]!.position = this.#rows[row + column]!
    for (let skipped = index % rowEvery; skipped > 0; skipped--) this.#pass()
    const [kinds, sizes, gaps, lengths, shifts, full, added] = cursors
    this.#kind = kinds.unsignedVarint()
    this.#size = sizes.unsignedVarint()
    this.#gapsAt = gaps.position
    this.#lengthsAt = lengths.position
    this.#shiftsAt = shifts.position
    this.#bytesAt = this.#kind === 0 ? full.position : added.position
    this.#found = index
  }

  /** About what it takes in memory. */
  get byteCount(): number {
    return this.bytes.length + 4 * this.#rows.length + 600
  }

  isDelta(index: number): boolean {
    this.#find(index)
    return this.#kind > 0
  }

  full(index: number): Buffer {
    const start = this.fullAt(index)
    return this.bytes.subarray(start, start + this.#size)
  }

  /** The script of a delta whose value has so many bytes. */
  script(index: number, targetLength: number): DeltaScript {
    this.#find(index)
    const count = this.#kind - 1
    const tail = this.#size
    const starts = new Int32Array(count)
    const lengths = new Int32Array(count)
    const addresses = new Int32Array(count)
    const [, , gaps, copied, shifts] = this.#cursors
    copied.position = this.#lengthsAt
    for (let i = 0; i < count - 1; i++) lengths[i] = copied.unsignedVarint()
    gaps.position = this.#gapsAt
    let end = 0
    let addedBytes = tail
    for (let i = 0; i < count; i++) {
      const gap = gaps.unsignedVarint()
      addedBytes += gap
      starts[i] = end + gap
      if (i === count - 1) lengths[i] = targetLength - tail - starts[i]!
      end = starts[i]! + lengths[i]!
      addresses[i] = gap
    }
    shifts.position = this.#shiftsAt
    let next = 0
    for (let i = 0; i < count; i++) {
      addresses[i] = next + addresses[i]! + shifts.varlong()
      next = addresses[i]! + lengths[i]!
    }
    const start = this.#bytesAt
    return { starts, lengths, addresses, count, added: this.bytes.subarray(start, start + addedBytes) }
  }

  /** Where what is full begins in `bytes`. */
  fullAt(index: number): number {
    this.#find(index)
    return this.#bytesAt
  }

  /**
   * Makes the value of a delta, `length` bytes, at a place, out of `sourceLength` bytes elsewhere. Throws DeltaError where it
   * makes none of this length.
   */
  apply(
    index: number,
    source: Uint8Array,
    sourceAt: number,
    sourceLength: number,
    target: Uint8Array,
    at: number,
    length: number,
  ): void {
    this.#find(index)
    const count = this.#kind - 1
    const tail = this.#size
    const [, , gaps, lengths, shifts] = this.#cursors
    gaps.position = this.#gapsAt
    lengths.position = this.#lengthsAt
    shifts.position = this.#shiftsAt
    let added = this.#bytesAt
    // The pieces that are still to be copied at once, and how many have been replaced between them.
    let spanStart = 0
    let spanAddress = 0
    let replaced = 0
    let end = 0
    let next = 0
    for (let i = 0; i < count; i++) {
      const gap = gaps.unsignedVarint()
      const shift = shifts.varlong()
      const start = end + gap
      const address = next + gap + shift
      const copied = i < count - 1 ? lengths.unsignedVarint() : length - tail - start
      const addressEnd = address + copied
      if (copied < 0 || start + copied > length) throw new DeltaError('copies to where nothing is to be')
      const isFromSource = address >= 0 && addressEnd <= sourceLength
      if (isFromSource && shift === 0 && spanAddress >= 0 && gap <= replacedBytesMax && replaced < replacedMax) {
        replacedStarts[replaced] = end
        replacedLengths[replaced++] = gap
      } else {
        if (spanAddress >= 0) {
          const from = sourceAt + spanAddress
          copyTo(target, at + spanStart, source, from, from + end - spanStart)
        }
        added = replace(target, at, this.bytes, added, replaced)
        replaced = 0
        copyTo(target, at + end, this.bytes, added, added + gap)
        added += gap
        spanStart = start
        spanAddress = address
        if (!isFromSource) {
          // Wholly from one of the two, and never what it makes itself: our encoder writes no others.
          if (address < sourceLength || addressEnd - sourceLength > start) {
            throw new DeltaError('copies from where nothing is')
          }
          target.copyWithin(at + start, at + address - sourceLength, at + addressEnd - sourceLength)
          spanAddress = -1
        }
      }
      end = start + copied
      next = addressEnd
    }
    if (end + tail !== length) throw new DeltaError('adds more or less than the value lacks')
    if (spanAddress >= 0) {
      const from = sourceAt + spanAddress
      copyTo(target, at + spanStart, source, from, from + end - spanStart)
    }
    added = replace(target, at, this.bytes, added, replaced)
    copyTo(target, at + end, this.bytes, added, added + tail)
  }
}

/**
 * Pieces of a value that are from the same place of the source, but for bytes replaced between them, are copied at once and those
 * written over: to ask for a copy takes as long as to copy a kilobyte. Where they stand is kept for so many of them.
 */
const replacedMax = 64
const replacedBytesMax = 512
const replacedStarts = new Int32Array(replacedMax)
const replacedLengths = new Int32Array(replacedMax)

/** Answers where the bytes to add go on. */
function replace(target: Uint8Array, at: number, bytes: Uint8Array, from: number, count: number): number {
  let added = from
  for (let i = 0; i < count; i++) {
    const end = added + replacedLengths[i]!
    copyTo(target, at + replacedStarts[i]!, bytes, added, end)
    added = end
  }
  return added
}

type Cursors = [Cursor, Cursor, Cursor, Cursor, Cursor, Cursor, Cursor]

function skipVarint(cursor: Cursor): void {
  const { bytes } = cursor
  let at = cursor.position
  while (at < cursor.end && bytes[at]! >= 0x80) at++
  cursor.skip(at + 1 - cursor.position)
}
