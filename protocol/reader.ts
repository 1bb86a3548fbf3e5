// Reads the protocol's primitive values from a frame. Every length is held against the bytes that are left before
// anything is made from it, so hostile input costs nothing and ends in a ProtocolViolation.
//
//   kind      before flexible versions             flexible
//   string    int16 length, -1 = null              unsigned varint length+1, 0 = null
//   bytes     int32 length, -1 = null              unsigned varint length+1, 0 = null
//   array     int32 count, -1 = null               unsigned varint count+1, 0 = null
//   struct    fields                               fields, varint count, then (tag, size, bytes) each
//   others    fixed width, big-endian              the same

import { isUtf8 } from 'node:buffer'
import { ProtocolViolation } from './errors.ts'
import { knownBytesMax, knownId, knownText } from './known-texts.ts'
import type { UnknownTag } from './schema.ts'

/** Record batches on their way through: one view, or several where they cross the chunks or ranges they lie in. */
export type Records = Buffer | readonly Buffer[]

/** Sums the bytes of records without joining them. */
export function recordsLength(records: Records): number {
  if (Buffer.isBuffer(records)) return records.length
  let total = 0
  for (const part of records) total += part.length
  return total
}

const two32 = 0x1_0000_0000
/**
 * Elements of all arrays, and unknown tags, that one frame may hold. Each becomes an object of many times its size: a
 * frame of 100 MB that is all empty structs would otherwise take gigabytes.
 */
const elementsMax = 256 * 1024

export class Reader {
  protected buffer: Buffer
  protected position: number
  protected limit: number
  #elements = 0

  constructor(buffer: Buffer, position = 0, limit = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.limit = limit
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.limit - this.position
  }

  /** Makes sure that `byteCount` bytes lie in one piece at the position. */
  protected need(byteCount: number): void {
    if (this.position + byteCount > this.limit) this.underflow(byteCount)
  }

  protected underflow(byteCount: number): void {
    throw new ProtocolViolation(`${byteCount} bytes wanted, ${this.remaining} left`)
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    this.need(1)
    return (this.buffer[this.position++]! << 24) >> 24
  }

  int16(): number {
    this.need(2)
    const b = this.buffer
    const p = this.position
    this.position = p + 2
    return (((b[p]! << 8) | b[p + 1]!) << 16) >> 16
  }

  uint16(): number {
    return this.int16() & 0xffff
  }

  int32(): number {
    this.need(4)
    const b = this.buffer
    const p = this.position
    this.position = p + 4
    return (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  int64(): number {
    this.need(8)
    const b = this.buffer
    const p = this.position
    this.position = p + 8
    const high = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
    const low = ((b[p + 4]! << 24) | (b[p + 5]! << 16) | (b[p + 6]! << 8) | b[p + 7]!) >>> 0
    return high * two32 + low
  }

  float64(): number {
    this.need(8)
    this.position += 8
    return this.buffer.readDoubleBE(this.position - 8)
  }

  uuid(): string {
    this.need(16)
    this.position += 16
    return knownId(this.buffer, this.position - 16)
  }

  /** Unsigned varint of at most 5 bytes (32 bits). */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      this.need(1)
      const byte = this.buffer[this.position++]!
      if (shift === 28 && byte > 15) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new ProtocolViolation('a varint is longer than 32 bits')
  }

  protected takeString(length: number): string {
    this.need(length)
    const b = this.buffer
    const p = this.position
    const end = p + length
    this.position = end
    let i = p
    let hash = length
    for (; i < end && b[i]! < 0x80; i++) hash = (Math.imul(hash, 31) + b[i]!) | 0
    if (i === end) return length > knownBytesMax ? b.toString('latin1', p, end) : knownText(b, p, end, hash)
    if (!isUtf8(b.subarray(p, end))) throw new ProtocolViolation('a string is not UTF-8')
    return b.toString('utf8', p, end)
  }

  string(): string {
    return this.nullableString() ?? this.notNull('string')
  }

  nullableString(): string | null {
    const length = this.int16()
    if (length < -1) throw new ProtocolViolation(`string length ${length}`)
    return length === -1 ? null : this.takeString(length)
  }

  compactString(): string {
    return this.compactNullableString() ?? this.notNull('string')
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.takeString(length)
  }

  protected takeBytes(length: number): Buffer {
    this.need(length)
    this.position += length
    return this.buffer.subarray(this.position - length, this.position)
  }

  bytes(): Buffer {
    return this.nullableBytes() ?? this.notNull('bytes')
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    if (length < -1) throw new ProtocolViolation(`bytes length ${length}`)
    return length === -1 ? null : this.takeBytes(length)
  }

  compactBytes(): Buffer {
    return this.compactNullableBytes() ?? this.notNull('bytes')
  }

  compactNullableBytes(): Buffer | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.takeBytes(length)
  }

  protected takeRecords(length: number): Records {
    return this.takeBytes(length)
  }

  records(): Records {
    return this.nullableRecords() ?? this.notNull('records')
  }

  nullableRecords(): Records | null {
    const length = this.int32()
    if (length < -1) throw new ProtocolViolation(`records length ${length}`)
    return length === -1 ? null : this.takeRecords(length)
  }

  compactRecords(): Records {
    return this.compactNullableRecords() ?? this.notNull('records')
  }

  compactNullableRecords(): Records | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.takeRecords(length)
  }

  /** Count of an array whose elements take at least `elementBytes`; -1 for null. */
  arrayCount(elementBytes: number): number {
    return this.fit(this.int32(), elementBytes)
  }

  compactArrayCount(elementBytes: number): number {
    return this.fit(this.uvarint() - 1, elementBytes)
  }

  private fit(count: number, elementBytes: number): number {
    if (count < -1) throw new ProtocolViolation(`array count ${count}`)
    if (count > 0 && count * elementBytes > this.remaining)
      throw new ProtocolViolation(`an array of ${count} elements cannot fit into ${this.remaining} bytes`)
    if (count > 0) this.#count(count)
    return count
  }

  #count(elements: number): void {
    this.#elements += elements
    if (this.#elements > elementsMax) throw new ProtocolViolation(`more than ${elementsMax} array elements in a frame`)
  }

  notNull(what: string): never {
    throw new ProtocolViolation(`null where a ${what} is needed`)
  }

  /** Keeps the bytes of a tag that the table does not know. */
  unknownTag(into: { unknownTags?: UnknownTag[] }, tag: number, byteCount: number): void {
    this.#count(1)
    const kept = { tag, bytes: this.takeBytes(byteCount) }
    if (into.unknownTags === undefined) into.unknownTags = [kept]
    else into.unknownTags.push(kept)
  }

  /** A tag's content must take exactly the size it announced: `left` is what must remain after it. */
  tagEnds(left: number): void {
    if (this.remaining !== left) throw new ProtocolViolation('a tagged field does not take the size it announced')
  }

  /** Bytes that must remain after `byteCount` more; a violation if there are not as many. */
  leftAfter(byteCount: number): number {
    const left = this.remaining - byteCount
    if (left < 0) throw new ProtocolViolation(`a tagged field of ${byteCount} bytes, ${this.remaining} left`)
    return left
  }

  /** A reader of what is left, in memory of its own: views of the first one's may be overwritten. */
  detached(): Reader {
    return new Reader(Buffer.from(this.buffer.subarray(this.position, this.limit)))
  }

  /** A message must take its frame whole. */
  end(): void {
    if (this.remaining !== 0) throw new ProtocolViolation(`${this.remaining} bytes after the end of the message`)
  }
}

/**
 * Reads a frame that arrived in several chunks without joining them: small fields that straddle two chunks are joined,
 * records are handed on as the views they came in. So a record's bytes are first copied when they enter the log.
 */
export class ChunkReader extends Reader {
  readonly #chunks: readonly Buffer[]
  #next = 1
  #later: number

  /** `chunks`: at least one. */
  constructor(chunks: readonly Buffer[]) {
    super(chunks[0]!)
    this.#chunks = chunks
    this.#later = 0
    for (let i = 1; i < chunks.length; i++) this.#later += chunks[i]!.length
  }

  override get remaining(): number {
    return this.limit - this.position + this.#later
  }

  #step(): void {
    this.buffer = this.#chunks[this.#next++]!
    this.position = 0
    this.limit = this.buffer.length
    this.#later -= this.limit
  }

  #pieces(byteCount: number): Buffer[] {
    if (byteCount > this.remaining) super.underflow(byteCount)
    const pieces: Buffer[] = []
    for (let left = byteCount; left > 0; ) {
      if (this.position === this.limit) this.#step()
      const size = Math.min(left, this.limit - this.position)
      pieces.push(this.buffer.subarray(this.position, this.position + size))
      this.position += size
      left -= size
    }
    return pieces
  }

  protected override underflow(byteCount: number): void {
    if (byteCount > this.remaining) super.underflow(byteCount)
    while (this.position === this.limit) this.#step()
    if (this.position + byteCount <= this.limit) return
    // The joined bytes become a chunk of their own; the rest of the last one they came from waits behind it.
    const joined = Buffer.concat(this.#pieces(byteCount))
    this.#unread(this.buffer.subarray(this.position, this.limit))
    this.buffer = joined
    this.position = 0
    this.limit = byteCount
  }

  #unread(rest: Buffer): void {
    if (rest.length === 0) return
    this.#next--
    ;(this.#chunks as Buffer[])[this.#next] = rest
    this.#later += rest.length
  }

  override detached(): Reader {
    return new Reader(Buffer.concat(this.#pieces(this.remaining)))
  }

  protected override takeRecords(length: number): Records {
    if (length <= this.limit - this.position) return super.takeRecords(length)
    const pieces = this.#pieces(length)
    return pieces.length === 1 ? pieces[0]! : pieces
  }
}
