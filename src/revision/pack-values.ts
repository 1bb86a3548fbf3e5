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

import { ProtocolViolation } from '../../protocol/errors.ts'
import { Cursor, writeUnsignedVarint } from '../../protocol/varint.ts'
import { DeltaError } from './decode-delta.ts'
import type { DeltaScript } from './delta-script.ts'
import { Column, columnCursors, joinColumns, lookUpColumns } from './pack-column.ts'
import { copyTo, Words } from './value-memory.ts'

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

type Cursors = [Cursor, Cursor, Cursor, Cursor, Cursor, Cursor, Cursor]

/** Of the block that is laid out. */
const columns = columnCursors(columnCount)
const [kinds, sizes, gaps, copied, shifts, full, added] = columns as Cursors

/** In front of the entries stands where each begins. */
const placeBytes = 4

/**
 * A block, read. Entries are numbered from its first one. Columns are what deflate likes; who reads in the order of the log needs
 * one entry of each block, so they are laid out entry by entry, and one look at memory finds all of it:
 *
 *   places  int32 of each: where it begins; ~ of it where it is a delta
 *   full    the value
 *   delta   copies varint | size varint, as in its column | for each copy: gap varint, the bytes added there, shift varint64, length
 *           varint (not of the last) | the bytes behind the last copy
 */
export class ValueBlock {
  /** The memory that it lies in, up to `end`, and the number of that. */
  readonly words: Words
  readonly slab: number
  readonly end: number
  readonly count: number
  readonly #start: number

  /** How many entries are in a block. Throws ProtocolViolation where it is none: each has a byte at least. */
  static countIn(bytes: Buffer): number {
    const cursor = new Cursor(bytes)
    const count = cursor.unsignedVarint()
    cursor.skip(count)
    return count
  }

  /** Room that blocks take which have so many bytes and entries. */
  static byteCountOf(byteCount: number, count: number): number {
    return placeBytes * count + byteCount
  }

  /** Lays it out at `start`, where there is room for it. Throws ProtocolViolation where the bytes are none. */
  constructor(bytes: Buffer, into: Words, start: number, slab: number) {
    const cursor = new Cursor(bytes)
    const count = cursor.unsignedVarint()
    lookUpColumns(columns, cursor)
    this.count = count
    this.words = into
    this.slab = slab
    this.#start = start
    const source = new Words(bytes)
    // No number takes more room than it had in its column.
    let at = start + placeBytes * count
    for (let i = 0; i < count; i++) {
      const kind = kinds.unsignedVarint()
      const size = sizes.unsignedVarint()
      if (kind === 0) {
        into.view.setInt32(start + placeBytes * i, at, true)
        at = moveBytes(full, size, source, into, at)
        continue
      }
      into.view.setInt32(start + placeBytes * i, ~at, true)
      at = writeUnsignedVarint(into.bytes, at, kind - 1)
      at = writeUnsignedVarint(into.bytes, at, size)
      for (let copy = 1; copy < kind; copy++) {
        const gap = gaps.unsignedVarint()
        at = writeUnsignedVarint(into.bytes, at, gap)
        at = moveBytes(added, gap, source, into, at)
        at = moveNumber(shifts, source, into, at)
        if (copy < kind - 1) at = moveNumber(copied, source, into, at)
      }
      at = moveBytes(added, size, source, into, at)
    }
    this.end = at
  }

  /** Where an entry begins in the bytes; ~ of it where it is a delta. */
  place(index: number): number {
    return this.words.view.getInt32(this.#start + placeBytes * index, true)
  }

  /** A cursor in front of the numbers of a delta. Throws DeltaError where it is none. */
  #numbers(place: number): Cursor {
    if (place >= 0) throw new DeltaError('is none')
    return numbers.reset(this.words.bytes, ~place, this.end)
  }

  /** The script of a delta whose value has so many bytes. */
  script(index: number, targetLength: number): DeltaScript {
    const { bytes } = this.words
    const cursor = this.#numbers(this.place(index))
    const count = cursor.unsignedVarint()
    const tail = cursor.unsignedVarint()
    const starts = new Int32Array(count)
    const lengths = new Int32Array(count)
    const addresses = new Int32Array(count)
    const added: Buffer[] = []
    const take = (byteCount: number): void => {
      added.push(bytes.subarray(cursor.position, cursor.position + byteCount))
      cursor.skip(byteCount)
    }
    let end = 0
    let next = 0
    for (let i = 0; i < count; i++) {
      const gap = cursor.unsignedVarint()
      take(gap)
      starts[i] = end + gap
      addresses[i] = next + gap + cursor.varlong()
      lengths[i] = i < count - 1 ? cursor.unsignedVarint() : targetLength - tail - starts[i]!
      end = starts[i]! + lengths[i]!
      next = addresses[i]! + lengths[i]!
    }
    take(tail)
    return { starts, lengths, addresses, count, added: Buffer.concat(added) }
  }

  /**
   * Makes the value of the delta at a `place`, `length` bytes, out of `sourceLength` bytes elsewhere. Throws DeltaError where it
   * makes none of this length.
   */
  apply(
    place: number,
    source: Words,
    sourceAt: number,
    sourceLength: number,
    target: Words,
    at: number,
    length: number,
  ): void {
    const cursor = this.#numbers(place)
    const { words } = this
    const count = cursor.unsignedVarint()
    const tail = cursor.unsignedVarint()
    // The pieces that are still to be copied at once, and how many have been replaced between them.
    let spanStart = 0
    let spanAddress = 0
    let replaced = 0
    let end = 0
    let next = 0
    for (let i = 0; i < count; i++) {
      const gap = cursor.unsignedVarint()
      const added = cursor.position
      cursor.skip(gap)
      const shift = cursor.varlong()
      const start = end + gap
      const address = next + gap + shift
      const copied = i < count - 1 ? cursor.unsignedVarint() : length - tail - start
      const addressEnd = address + copied
      if (copied < 0 || start + copied > length) throw new DeltaError('copies to where nothing is to be')
      const isFromSource = address >= 0 && addressEnd <= sourceLength
      if (isFromSource && shift === 0 && spanAddress >= 0 && gap <= replacedBytesMax && replaced < replacedMax) {
        replacedStarts[replaced] = end
        replacedFrom[replaced] = added
        replacedLengths[replaced++] = gap
      } else {
        if (spanAddress >= 0) {
          const from = sourceAt + spanAddress
          copyTo(target, at + spanStart, source, from, from + end - spanStart)
        }
        replace(target, at, words, replaced)
        replaced = 0
        copyTo(target, at + end, words, added, added + gap)
        spanStart = start
        spanAddress = address
        if (!isFromSource) {
          // Wholly from one of the two, and never what it makes itself: our encoder writes no others.
          if (address < sourceLength || addressEnd - sourceLength > start) {
            throw new DeltaError('copies from where nothing is')
          }
          target.bytes.copyWithin(at + start, at + address - sourceLength, at + addressEnd - sourceLength)
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
    replace(target, at, words, replaced)
    copyTo(target, at + end, words, cursor.position, cursor.position + tail)
  }
}

/**
 * Pieces of a value that are from the same place of the source, but for bytes replaced between them, are copied at once and those
 * written over: to ask for a copy takes as long as to copy a kilobyte. Where they stand is kept for so many of them.
 */
const replacedMax = 64
const replacedBytesMax = 512
const replacedStarts = new Int32Array(replacedMax)
const replacedFrom = new Int32Array(replacedMax)
const replacedLengths = new Int32Array(replacedMax)

function replace(target: Words, at: number, source: Words, count: number): void {
  for (let i = 0; i < count; i++) {
    const from = replacedFrom[i]!
    copyTo(target, at + replacedStarts[i]!, source, from, from + replacedLengths[i]!)
  }
}

/** One for all: what is read with it is read at once. */
const numbers = new Cursor(Buffer.alloc(0))

/** Copies so many of a column's next bytes, and answers where the next ones go. */
function moveBytes(column: Cursor, byteCount: number, source: Words, into: Words, at: number): number {
  const from = column.position
  column.skip(byteCount)
  copyTo(into, at, source, from, from + byteCount)
  return at + byteCount
}

/** The bytes of a number: whoever reads it says what is wrong with it, but none is longer than what it can be. */
const numberBytesMax = 5

/** The same with the column's next number. */
function moveNumber(column: Cursor, source: Words, into: Words, at: number): number {
  const { bytes } = column
  let end = column.position
  while (end < column.end && bytes[end]! >= 0x80) end++
  const byteCount = end + 1 - column.position
  if (byteCount > numberBytesMax) throw new ProtocolViolation(`a number in ${byteCount} bytes`)
  return moveBytes(column, byteCount, source, into, at)
}
