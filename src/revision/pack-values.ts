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
import type { DeltaScript } from './delta-script.ts'
import { Column, joinColumns } from './pack-column.ts'

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

/** A block, read. Entries are numbered from its first one. */
export class ValueBlock {
  readonly #bytes: Buffer
  /** Of each entry: its kind, its size, and where it begins in each of the five columns behind. */
  readonly #kinds: Int32Array
  readonly #sizes: Int32Array
  readonly #gapsAt: Int32Array
  readonly #lengthsAt: Int32Array
  readonly #shiftsAt: Int32Array
  readonly #bytesAt: Int32Array
  readonly #cursor: Cursor

  /** Throws ProtocolViolation where the bytes are none. */
  constructor(bytes: Buffer) {
    const cursor = new Cursor(bytes)
    const count = cursor.unsignedVarint()
    const lengths = Array.from({ length: columnCount }, () => cursor.unsignedVarint())
    const columns = lengths.map((length) => {
      const start = cursor.position
      cursor.skip(length)
      return new Cursor(bytes, start, start + length)
    })
    const [kinds, sizes, gaps, copied, shifts, full, added] = columns as Cursors
    // Each entry has a byte at least, so nothing is made from a count that the bytes do not hold.
    new Cursor(bytes, kinds.position, kinds.end).skip(count)
    this.#bytes = bytes
    this.#cursor = new Cursor(bytes)
    this.#kinds = new Int32Array(count)
    this.#sizes = new Int32Array(count)
    this.#gapsAt = new Int32Array(count)
    this.#lengthsAt = new Int32Array(count)
    this.#shiftsAt = new Int32Array(count)
    this.#bytesAt = new Int32Array(count)
    for (let i = 0; i < count; i++) {
      const kind = kinds.unsignedVarint()
      const size = sizes.unsignedVarint()
      this.#kinds[i] = kind
      this.#sizes[i] = size
      this.#gapsAt[i] = gaps.position
      this.#lengthsAt[i] = copied.position
      this.#shiftsAt[i] = shifts.position
      this.#bytesAt[i] = kind === 0 ? full.position : added.position
      if (kind === 0) {
        full.skip(size)
        continue
      }
      let addedBytes = size
      for (let copy = 1; copy < kind; copy++) addedBytes += gaps.unsignedVarint()
      for (let copy = 2; copy < kind; copy++) skipVarint(copied)
      for (let copy = 1; copy < kind; copy++) skipVarint(shifts)
      added.skip(addedBytes)
    }
  }

  /** About what it takes in memory. */
  get byteCount(): number {
    return this.#bytes.length + 24 * this.count
  }

  get count(): number {
    return this.#kinds.length
  }

  isDelta(index: number): boolean {
    return this.#kinds[index]! > 0
  }

  full(index: number): Buffer {
    const start = this.#bytesAt[index]!
    return this.#bytes.subarray(start, start + this.#sizes[index]!)
  }

  /** The script of a delta whose value has so many bytes. */
  script(index: number, targetLength: number): DeltaScript {
    const count = this.#kinds[index]! - 1
    const tail = this.#sizes[index]!
    const starts = new Int32Array(count)
    const lengths = new Int32Array(count)
    const addresses = new Int32Array(count)
    const cursor = this.#cursor
    cursor.position = this.#lengthsAt[index]!
    for (let i = 0; i < count - 1; i++) lengths[i] = cursor.unsignedVarint()
    cursor.position = this.#gapsAt[index]!
    let end = 0
    let addedBytes = tail
    for (let i = 0; i < count; i++) {
      const gap = cursor.unsignedVarint()
      addedBytes += gap
      starts[i] = end + gap
      if (i === count - 1) lengths[i] = targetLength - tail - starts[i]!
      end = starts[i]! + lengths[i]!
      addresses[i] = gap
    }
    cursor.position = this.#shiftsAt[index]!
    let next = 0
    for (let i = 0; i < count; i++) {
      addresses[i] = next + addresses[i]! + cursor.varlong()
      next = addresses[i]! + lengths[i]!
    }
    const start = this.#bytesAt[index]!
    return { starts, lengths, addresses, count, added: this.#bytes.subarray(start, start + addedBytes) }
  }
}

type Cursors = [Cursor, Cursor, Cursor, Cursor, Cursor, Cursor, Cursor]

function skipVarint(cursor: Cursor): void {
  const { bytes } = cursor
  let at = cursor.position
  while (at < cursor.end && bytes[at]! >= 0x80) at++
  cursor.skip(at + 1 - cursor.position)
}
