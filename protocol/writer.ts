// Writes the protocol's primitive values. Bytes of records are not copied: they become parts of their own between the
// written ones, and the socket gathers them. See reader.ts for how each kind is encoded.

import { idBytes, knownIdBytes } from './known-texts.ts'
import type { Records } from './reader.ts'
import { recordsLength } from './reader.ts'
import type { UnknownTag } from './schema.ts'

const two32 = 0x1_0000_0000
const two63 = 2 ** 63
/** Up to this length characters are written one by one, which is faster than a call into Node. The length fits a byte. */
const asciiMax = 48

export class Writer {
  #buffer: Buffer
  #position: number
  /** Where the part that is being written began in the buffer. */
  #from = 0
  readonly #parts: Buffer[] = []
  #partBytes = 0

  /** Where the room that was given is free again, once the message had to move to a larger one. */
  #freeFrom: number | undefined

  /**
   * `reserve`: bytes left free at the start, for a frame length to be patched in. `given`: room to begin in, from `from` on; a
   * message that does not fit moves.
   */
  constructor(sizeHint = 256, reserve = 0, given?: Buffer, from = 0) {
    this.#buffer = given ?? Buffer.allocUnsafe(Math.max(sizeHint, reserve + 16))
    this.#from = from
    this.#position = from + reserve
  }

  /** From here on the room that was given holds nothing of the message. */
  get freeFrom(): number {
    return this.#freeFrom ?? this.#position
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#partBytes + this.#position - this.#from
  }

  /** All parts in order; the writer is finished. */
  parts(): Buffer[] {
    if (this.#position > this.#from) this.#parts.push(this.#buffer.subarray(this.#from, this.#position))
    this.#partBytes += this.#position - this.#from
    this.#from = this.#position
    return this.#parts
  }

  /** All parts joined: for small messages and tests. */
  bytesWritten(): Buffer {
    const parts = this.parts()
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  #room(byteCount: number): number {
    const p = this.#position
    const end = p + byteCount
    if (end > this.#buffer.length) return this.#grow(byteCount)
    this.#position = end
    return p
  }

  #grow(byteCount: number): number {
    this.#freeFrom ??= this.#from
    const used = this.#position - this.#from
    const bigger = Buffer.allocUnsafe(2 * (used + byteCount))
    this.#buffer.copy(bigger, 0, this.#from, this.#position)
    this.#buffer = bigger
    this.#from = 0
    this.#position = used + byteCount
    return used
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    const p = this.#room(1)
    this.#buffer[p] = value
  }

  int16(value: number): void {
    const p = this.#room(2)
    this.#buffer[p] = value >> 8
    this.#buffer[p + 1] = value
  }

  uint16(value: number): void {
    this.int16(value)
  }

  int32(value: number): void {
    const p = this.#room(4)
    const b = this.#buffer
    b[p] = value >> 24
    b[p + 1] = value >> 16
    b[p + 2] = value >> 8
    b[p + 3] = value
  }

  uint32(value: number): void {
    this.int32(value | 0)
  }

  int64(value: number): void {
    if (value >= two63) {
      this.bigint64(0x7fff_ffff_ffff_ffffn)
      return
    }
    const high = Math.floor(value / two32)
    this.int32(high)
    this.int32((value - high * two32) | 0)
  }

  bigint64(value: bigint): void {
    const p = this.#room(8)
    this.#buffer.writeBigInt64BE(value, p)
  }

  float64(value: number): void {
    const p = this.#room(8)
    this.#buffer.writeDoubleBE(value, p)
  }

  uuid(value: string): void {
    const bytes = knownIdBytes(value)
    const p = this.#room(idBytes)
    for (let i = 0; i < idBytes; i++) this.#buffer[p + i] = bytes[i]!
  }

  uvarint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.int8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.int8(rest)
  }

  #text(value: string, byteCount: number): void {
    const p = this.#room(byteCount)
    this.#buffer.write(value, p, byteCount, 'utf8')
  }

  /** Writes a short text of ASCII characters behind its length, as most names are; false where it is none: nothing is written then. */
  #ascii(value: string, lengthBytes: 1 | 2): boolean {
    const { length } = value
    if (length > asciiMax) return false
    const p = this.#room(lengthBytes + length)
    const b = this.#buffer
    let at = p
    if (lengthBytes === 2) b[at++] = 0
    b[at++] = lengthBytes === 2 ? length : length + 1
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        this.#position = p
        return false
      }
      b[at + i] = code
    }
    return true
  }

  string(value: string): void {
    if (this.#ascii(value, 2)) return
    const byteCount = Buffer.byteLength(value)
    if (byteCount > 32767) throw new RangeError(`a string of ${byteCount} bytes; 32767 is the most`)
    this.int16(byteCount)
    this.#text(value, byteCount)
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    if (this.#ascii(value, 1)) return
    const byteCount = Buffer.byteLength(value)
    this.uvarint(byteCount + 1)
    this.#text(value, byteCount)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value)
  }

  /** Bytes as they are, without a length. */
  raw(value: Buffer): void {
    const p = this.#room(value.length)
    value.copy(this.#buffer, p)
  }

  bytes(value: Buffer): void {
    this.int32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.int32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Buffer): void {
    this.uvarint(value.length + 1)
    this.raw(value)
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.uvarint(0)
    else this.compactBytes(value)
  }

  #part(view: Buffer): void {
    if (view.length === 0) return
    if (this.#position > this.#from) {
      this.#parts.push(this.#buffer.subarray(this.#from, this.#position))
      this.#partBytes += this.#position - this.#from
      this.#from = this.#position
    }
    this.#parts.push(view)
    this.#partBytes += view.length
  }

  #views(value: Records): void {
    if (Buffer.isBuffer(value)) this.#part(value)
    else for (const view of value) this.#part(view)
  }

  records(value: Records): void {
    this.int32(recordsLength(value))
    this.#views(value)
  }

  nullableRecords(value: Records | null): void {
    if (value === null) this.int32(-1)
    else this.records(value)
  }

  compactRecords(value: Records): void {
    this.uvarint(recordsLength(value) + 1)
    this.#views(value)
  }

  compactNullableRecords(value: Records | null): void {
    if (value === null) this.uvarint(0)
    else this.compactRecords(value)
  }

  arrayCount(count: number): void {
    this.int32(count)
  }

  compactArrayCount(count: number): void {
    this.uvarint(count + 1)
  }

  notNull(what: string): never {
    throw new TypeError(`null where a ${what} is needed`)
  }

  /** One tagged field: its content is written aside first, because its size stands before it. */
  tag(tag: number, write: (aside: Writer) => void): void {
    const aside = this.aside()
    write(aside)
    this.uvarint(tag)
    this.uvarint(aside.length)
    for (const part of aside.parts()) this.raw(part)
  }

  protected aside(): Writer {
    return new Writer(64)
  }

  unknownTag({ tag, bytes }: UnknownTag): void {
    this.uvarint(tag)
    this.uvarint(bytes.length)
    this.raw(bytes)
  }
}
