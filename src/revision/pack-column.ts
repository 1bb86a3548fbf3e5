// Numbers of one meaning one behind the other: kept together they are alike, and deflate makes little of them.

import { Cursor, writeUnsignedVarint, writeVarlong } from '../../protocol/varint.ts'

const varlongBytesMax = 10

export class Column {
  #bytes: Buffer
  length = 0

  constructor(room = 256) {
    this.#bytes = Buffer.allocUnsafeSlow(room)
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }

  #room(byteCount: number): void {
    if (this.length + byteCount <= this.#bytes.length) return
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.length + byteCount, 2 * this.#bytes.length))
    this.#bytes.copy(bigger, 0, 0, this.length)
    this.#bytes = bigger
  }

  /** 0 … 2^32-1. */
  unsigned(value: number): void {
    this.#room(varlongBytesMax)
    this.length = writeUnsignedVarint(this.#bytes, this.length, value)
  }

  /** Any safe integer. */
  signed(value: number): void {
    this.#room(varlongBytesMax)
    this.length = writeVarlong(this.#bytes, this.length, value)
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.length++] = value
  }

  uint32(value: number): void {
    this.#room(4)
    this.length = this.#bytes.writeUInt32LE(value, this.length)
  }

  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#room(end - start)
    this.#bytes.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.length)
    this.length += end - start
  }

  clear(): void {
    this.length = 0
  }
}

/** Columns as one piece: how long each is (the last one takes the rest), then their bytes. */
export function joinColumns(columns: readonly Column[]): Buffer {
  const lengths = new Column(columns.length * 5)
  for (const column of columns) lengths.unsigned(column.length)
  return Buffer.concat([lengths.bytes, ...columns.map(({ bytes }) => bytes)])
}

const nothing = new Uint8Array(0)

/** For so many columns, which are looked up again and again. */
export const columnCursors = (count: number): Cursor[] => Array.from({ length: count }, () => new Cursor(nothing))

/** Puts a cursor on each of the columns whose lengths stand behind `head`. Throws ProtocolViolation where they are not there. */
export function lookUpColumns(columns: readonly Cursor[], head: Cursor): void {
  for (let i = 0; i < columns.length; i++) columns[i]!.end = head.unsignedVarint()
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!
    const start = head.position
    head.skip(column.end)
    column.reset(head.bytes, start, head.position)
  }
}

/** A typed array that grows. */
export class Growing<A extends Float64Array | Int32Array | Uint32Array> {
  #items: A
  readonly #make: (length: number) => A
  length = 0

  constructor(make: (length: number) => A) {
    this.#make = make
    this.#items = make(256)
  }

  push(item: number): void {
    if (this.length === this.#items.length) {
      const bigger = this.#make(2 * this.length)
      bigger.set(this.#items)
      this.#items = bigger
    }
    this.#items[this.length++] = item
  }

  at(index: number): number {
    return this.#items[index]!
  }

  set(index: number, item: number): void {
    this.#items[index] = item
  }

  /** A view of what is there now. */
  get items(): A {
    return this.#items.subarray(0, this.length) as A
  }
}

export const floats = (): Growing<Float64Array> => new Growing((length) => new Float64Array(length))
export const ints = (): Growing<Int32Array> => new Growing((length) => new Int32Array(length))
export const unsignedInts = (): Growing<Uint32Array> => new Growing((length) => new Uint32Array(length))
