// What is stored of each revision, a thousand in a block: enough to list the history of a key without a value being read.
//
//   lengths of the columns varint ×6 | columns:
//   kinds    one byte each: 0 full, 1 delta from the entry before, 2 delta from the 16th before, 3 tombstone
//   stored   varint: bytes of the value or delta (0 for a tombstone)
//   sizes    of deltas alone, varint64: bytes of the value, less those of the value before it in the column
//   revs     varint64: number of the revision, less that of the entry before it and 1
//   offsets  varint64: the same of offsets
//   times    varint64: the timestamp, less that of the entry before it
//
// In front of the first entry of a block stand a revision 0 at the pack's base offset less 1, and time 0.

import { Cursor } from '../../protocol/varint.ts'
import { Column, columnCursors, joinColumns, lookUpColumns } from './pack-column.ts'

export const entriesPerBlock = 1024
export const full = 0
export const deltaFromPrevious = 1
export const deltaFromAnchor = 2
export const tombstone = 3
/** How far back the base of a `deltaFromAnchor` lies. */
export const anchorDistance = 16

export class EntryColumns {
  readonly #kinds = new Column()
  readonly #stored = new Column()
  readonly #sizes = new Column()
  readonly #revs = new Column()
  readonly #offsets = new Column()
  readonly #times = new Column()
  #size = 0
  #rev = 0
  #offset = 0
  #time = 0

  get count(): number {
    return this.#kinds.length
  }

  restart(baseOffset: number): void {
    for (const column of this.#columns) column.clear()
    this.#size = 0
    this.#rev = 0
    this.#offset = baseOffset - 1
    this.#time = 0
  }

  add(kind: number, stored: number, size: number, rev: number, offset: number, timestamp: number): void {
    this.#kinds.byte(kind)
    this.#stored.unsigned(stored)
    if (kind === deltaFromPrevious || kind === deltaFromAnchor) this.#sizes.signed(size - this.#size)
    this.#revs.signed(rev - this.#rev - 1)
    this.#offsets.signed(offset - this.#offset - 1)
    this.#times.signed(timestamp - this.#time)
    this.#size = size
    this.#rev = rev
    this.#offset = offset
    this.#time = timestamp
  }

  get #columns(): Column[] {
    return [this.#kinds, this.#stored, this.#sizes, this.#revs, this.#offsets, this.#times]
  }

  bytes(): Buffer {
    return joinColumns(this.#columns)
  }
}

const columnCount = 6
const storedColumn = 1
const revsColumn = 3

/** Of the block that is read. */
const columns = columnCursors(columnCount)
const [kinds, stored, sizes] = columns as [Cursor, Cursor, Cursor]

/** A block, read. What lists ask for beside what reads of values do is decoded when it is first asked for. */
export class EntryBlock {
  readonly kinds: Buffer
  /** Bytes of the values. */
  readonly sizes: Int32Array
  readonly #bytes: Buffer
  /** Where each column begins, and the last one ends. */
  readonly #starts = new Int32Array(columnCount + 1)
  readonly #baseOffset: number
  #stored: Int32Array | undefined
  #places: { revs: Float64Array; offsets: Float64Array; times: Float64Array } | undefined

  /** Throws ProtocolViolation where the bytes are none. */
  constructor(bytes: Buffer, baseOffset: number) {
    const cursor = new Cursor(bytes)
    lookUpColumns(columns, cursor)
    for (let i = 0; i < columnCount; i++) this.#starts[i] = columns[i]!.position
    this.#starts[columnCount] = cursor.position
    this.#bytes = bytes
    this.#baseOffset = baseOffset
    this.kinds = bytes.subarray(kinds.position, kinds.end)
    const count = this.kinds.length
    this.sizes = new Int32Array(count)
    let size = 0
    for (let i = 0; i < count; i++) {
      const isDelta = this.kinds[i] === deltaFromPrevious || this.kinds[i] === deltaFromAnchor
      const bytes = stored.unsignedVarint()
      size = isDelta ? size + sizes.varlong() : bytes
      this.sizes[i] = size
    }
  }

  get count(): number {
    return this.kinds.length
  }

  /** About what it takes in memory. */
  get byteCount(): number {
    return this.#bytes.length + this.count * 20
  }

  /** Bytes stored for each. */
  get stored(): Int32Array {
    if (this.#stored === undefined) {
      const cursor = this.#column(storedColumn)
      const stored = new Int32Array(this.count)
      // Not by Int32Array.from, which asks for one after the other as of any list: ten times as long.
      for (let i = 0; i < stored.length; i++) stored[i] = cursor.unsignedVarint()
      this.#stored = stored
    }
    return this.#stored
  }

  get places() {
    this.#places ??= this.#decode()
    return this.#places
  }

  #column(index: number): Cursor {
    return new Cursor(this.#bytes, this.#starts[index], this.#starts[index + 1])
  }

  #decode() {
    const { count } = this
    const revs = new Float64Array(count)
    const offsets = new Float64Array(count)
    const times = new Float64Array(count)
    const rev = this.#column(revsColumn)
    const offset = this.#column(revsColumn + 1)
    const time = this.#column(revsColumn + 2)
    let lastRev = 0
    let lastOffset = this.#baseOffset - 1
    let lastTime = 0
    for (let i = 0; i < count; i++) {
      lastRev += rev.varlong() + 1
      lastOffset += offset.varlong() + 1
      lastTime += time.varlong()
      revs[i] = lastRev
      offsets[i] = lastOffset
      times[i] = lastTime
    }
    return { revs, offsets, times }
  }
}
