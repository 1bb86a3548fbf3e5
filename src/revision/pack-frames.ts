// Batches in the order of the log, without their keys and values: what a batch is rebuilt from beside its entries.
//
//   batches varint | records varint | lengths of the columns varint ×9 | columns:
//   heads     of each batch: flags varint | records varint | where flags ask for it, in this order:
//             attributes varint, leader epoch varint64, producer id varint64, its epoch varint64     unless as in the batch before
//             base offset varint64, less the offset behind the batch before                            unless it follows
//             last offset delta varint                                                                unless records count up from 0
//             sequence varint64                                                                       unless it follows
//             largest timestamp varint64, less the base timestamp                                     unless it is that of a record
//   bases     base timestamp varint64, less that of the batch before
//   sizes     varint64: bytes of the batch, less those of the batch before
//   entries   of each record varint64: the entry, less the one after the entry of the record before
//   times     of each record varint64: its timestamp delta
//   offsets   of records that do not count up, varint: the offset delta, less that of the record before and 1
//   headers   of records in batches that have any: length varint | header count and headers as they stand in the record
//   checksums uint32 each: CRC-32C of the batch, so that its header is known without its records, and damage is
//   verbatim  batches that cannot be rebuilt byte for byte, or have nothing to rebuild: markers, odd varints, no records
//
// "Before" is, for the first batch of a frame: the offset in its row, zeros, -1 for producer and leader epoch.

import * as batch from '../../protocol/records/batch.ts'
import { Cursor } from '../../protocol/varint.ts'
import { Column, columnCursors, joinColumns, lookUpColumns } from './pack-column.ts'

const flag = { verbatim: 1, same: 2, dense: 4, follows: 8, bare: 16, plainMax: 32, nextSequence: 64 } as const

/** A header as it will stand; `size` and `crc` count the whole batch. */
export type FrameHeader = {
  baseOffset: number
  lastOffsetDelta: number
  size: number
  crc: number
  attributes: number
  leaderEpoch: number
  producerId: number
  producerEpoch: number
  baseSequence: number
  baseTimestamp: number
  maxTimestamp: number
}

/** One record of a batch. `headers`: from its header count on; undefined: it has none. */
export type FrameRecord = { entry: number; timestampDelta: number; offsetDelta: number; headers: Buffer | undefined }

const noHeader: FrameHeader = {
  baseOffset: 0,
  lastOffsetDelta: -1,
  size: 0,
  crc: 0,
  attributes: 0,
  leaderEpoch: -1,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
  baseTimestamp: 0,
  maxTimestamp: 0,
}

/** Member by member: by spreading V8 comes to objects of several shapes, and compiles anew for each. */
const copyOf = (header: FrameHeader): FrameHeader => ({
  baseOffset: header.baseOffset,
  lastOffsetDelta: header.lastOffsetDelta,
  size: header.size,
  crc: header.crc,
  attributes: header.attributes,
  leaderEpoch: header.leaderEpoch,
  producerId: header.producerId,
  producerEpoch: header.producerEpoch,
  baseSequence: header.baseSequence,
  baseTimestamp: header.baseTimestamp,
  maxTimestamp: header.maxTimestamp,
})

/** What a producer's next batch begins with. */
const sequenceAfter = ({ baseSequence, lastOffsetDelta }: FrameHeader): number =>
  baseSequence < 0 ? baseSequence : (baseSequence + lastOffsetDelta + 1) & 0x7fff_ffff

export class FrameColumns {
  readonly #columns = Array.from({ length: columnCount }, () => new Column())
  #before: FrameHeader = noHeader
  #entry = -1
  batchCount = 0
  recordCount = 0

  get byteCount(): number {
    return this.#columns.reduce((sum, { length }) => sum + length, 0)
  }

  /** `firstOffset`: what stands in the row of the frame. */
  restart(firstOffset: number): void {
    for (const column of this.#columns) column.clear()
    this.#before = { ...noHeader, baseOffset: firstOffset }
    this.#entry = -1
    this.batchCount = 0
    this.recordCount = 0
  }

  /** `verbatim`: the whole batch, where it is kept as it is; its records (none of a marker) are known all the same. */
  add(header: FrameHeader, records: readonly FrameRecord[], verbatim: Buffer | undefined): void {
    const before = this.#before
    const [heads, bases, sizes, entries, times, offsets, headers, checksums, bodies] = this.#columns as Nine
    const isSame =
      header.attributes === before.attributes &&
      header.leaderEpoch === before.leaderEpoch &&
      header.producerId === before.producerId &&
      header.producerEpoch === before.producerEpoch
    const isDense =
      header.lastOffsetDelta === records.length - 1 && records.every(({ offsetDelta }, i) => offsetDelta === i)
    const gap = header.baseOffset - (before.baseOffset + before.lastOffsetDelta + 1)
    const isBare = records.every(({ headers }) => headers === undefined)
    const plainMax = records.reduce((max, { timestampDelta }) => Math.max(max, timestampDelta), -Infinity)
    const isPlain = header.maxTimestamp === header.baseTimestamp + plainMax
    const isNext = header.baseSequence === (header.producerId < 0 ? -1 : sequenceAfter(before))
    heads.unsigned(
      (verbatim === undefined ? 0 : flag.verbatim) |
        (isSame ? flag.same : 0) |
        (isDense ? flag.dense : 0) |
        (gap === 0 ? flag.follows : 0) |
        (isBare ? flag.bare : 0) |
        (isPlain ? flag.plainMax : 0) |
        (isNext ? flag.nextSequence : 0),
    )
    heads.unsigned(records.length)
    if (!isSame) {
      heads.unsigned(header.attributes & 0xffff)
      heads.signed(header.leaderEpoch)
      heads.signed(header.producerId)
      heads.signed(header.producerEpoch)
    }
    if (gap !== 0) heads.signed(gap)
    if (!isDense) heads.unsigned(header.lastOffsetDelta)
    if (!isNext) heads.signed(header.baseSequence)
    if (!isPlain) heads.signed(header.maxTimestamp - header.baseTimestamp)
    bases.signed(header.baseTimestamp - before.baseTimestamp)
    sizes.signed(header.size - before.size)
    checksums.uint32(header.crc)
    if (verbatim !== undefined) bodies.raw(verbatim)
    let lastDelta = -1
    for (const { entry, timestampDelta, offsetDelta, headers: body } of records) {
      entries.signed(entry - this.#entry - 1)
      times.signed(timestampDelta)
      if (!isDense) offsets.unsigned(offsetDelta - lastDelta - 1)
      if (!isBare) headers.unsigned(body?.length ?? 0)
      if (body !== undefined) headers.raw(body)
      this.#entry = entry
      lastDelta = offsetDelta
    }
    this.#before = { ...header }
    this.batchCount++
    this.recordCount += records.length
  }

  bytes(): Buffer {
    const counts = new Column(16)
    counts.unsigned(this.batchCount)
    counts.unsigned(this.recordCount)
    return Buffer.concat([counts.bytes, joinColumns(this.#columns)])
  }
}

type Nine = [Column, Column, Column, Column, Column, Column, Column, Column, Column]
const columnCount = 9

type Cursors = [Cursor, Cursor, Cursor, Cursor, Cursor, Cursor, Cursor, Cursor, Cursor]

/** Of the frame that is read. */
const columns = columnCursors(columnCount)
const [heads, bases, sizes, entries, times, offsets, headers, checksums, verbatim] = columns as Cursors

/** A frame, read. Batches and records are numbered through it. */
export class Frame {
  readonly headers: FrameHeader[] = []
  /** Where each batch begins among the rebuilt ones, from the frame on; one more for the end. */
  readonly positions: Int32Array
  /** The first record of each batch; one more for the end. */
  readonly firstRecords: Int32Array
  readonly entries: Int32Array
  readonly times: Float64Array
  readonly offsetDeltas: Int32Array
  /** Where the headers of each record begin and end in `bodies`; none: twice the same. */
  readonly bodyStarts: Int32Array
  readonly bodyEnds: Int32Array
  readonly bodies: Buffer
  readonly #verbatim: Buffer
  readonly #verbatimStarts: Int32Array
  readonly byteCount: number

  /** Throws ProtocolViolation where the bytes are none. */
  constructor(bytes: Buffer, firstOffset: number) {
    const cursor = new Cursor(bytes)
    const batchCount = cursor.unsignedVarint()
    const recordCount = cursor.unsignedVarint()
    lookUpColumns(columns, cursor)
    // Each batch and each record takes at least a byte, so nothing is made from a count that the bytes do not hold.
    checksums.skip(batchCount * 4)
    new Cursor(bytes, times.position, times.end).skip(recordCount)
    this.positions = new Int32Array(batchCount + 1)
    this.firstRecords = new Int32Array(batchCount + 1)
    this.entries = new Int32Array(recordCount)
    this.times = new Float64Array(recordCount)
    this.offsetDeltas = new Int32Array(recordCount)
    this.bodyStarts = new Int32Array(recordCount)
    this.bodyEnds = new Int32Array(recordCount)
    this.bodies = bytes
    this.#verbatim = bytes.subarray(verbatim.position, verbatim.end)
    this.#verbatimStarts = new Int32Array(batchCount).fill(-1)
    this.byteCount = bytes.length + batchCount * 160 + recordCount * 24
    let before = copyOf(noHeader)
    before.baseOffset = firstOffset
    let entry = -1
    let record = 0
    let bodyAt = 0
    for (let i = 0; i < batchCount; i++) {
      const flags = heads.unsignedVarint()
      const count = heads.unsignedVarint()
      const header = copyOf(before)
      header.lastOffsetDelta = count - 1
      if ((flags & flag.same) === 0) {
        header.attributes = (heads.unsignedVarint() << 16) >> 16
        header.leaderEpoch = heads.varlong()
        header.producerId = heads.varlong()
        header.producerEpoch = heads.varlong()
      }
      header.baseOffset = before.baseOffset + before.lastOffsetDelta + 1 + (flags & flag.follows ? 0 : heads.varlong())
      const isDense = (flags & flag.dense) !== 0
      if (!isDense) header.lastOffsetDelta = heads.unsignedVarint()
      const isNext = (flags & flag.nextSequence) !== 0
      header.baseSequence = !isNext ? heads.varlong() : header.producerId < 0 ? -1 : sequenceAfter(before)
      const aboveBase = flags & flag.plainMax ? undefined : heads.varlong()
      header.baseTimestamp = before.baseTimestamp + bases.varlong()
      header.size = before.size + sizes.varlong()
      header.crc = bytes.readUInt32LE(checksums.position - 4 * (batchCount - i))
      this.positions[i + 1] = this.positions[i]! + header.size
      this.firstRecords[i] = record
      if (flags & flag.verbatim) {
        this.#verbatimStarts[i] = bodyAt
        bodyAt += header.size
      }
      let lastDelta = -1
      let maxDelta = -Infinity
      for (const end = record + count; record < end; record++) {
        entry += entries.varlong() + 1
        lastDelta += 1 + (isDense ? 0 : offsets.unsignedVarint())
        const time = times.varlong()
        if (time > maxDelta) maxDelta = time
        this.entries[record] = entry
        this.times[record] = time
        this.offsetDeltas[record] = lastDelta
        if (flags & flag.bare) continue
        const length = headers.unsignedVarint()
        this.bodyStarts[record] = headers.position
        headers.skip(length)
        this.bodyEnds[record] = headers.position
      }
      header.maxTimestamp = header.baseTimestamp + (aboveBase ?? maxDelta)
      this.headers.push(header)
      before = header
    }
    this.firstRecords[batchCount] = record
  }

  get batchCount(): number {
    return this.headers.length
  }

  /** Bytes of the rebuilt batches. */
  get length(): number {
    return this.positions[this.batchCount]!
  }

  /** The whole batch, where it is kept as it is. */
  verbatim(index: number): Buffer | undefined {
    const start = this.#verbatimStarts[index]!
    return start < 0 ? undefined : this.#verbatim.subarray(start, start + this.headers[index]!.size)
  }

  recordCount(index: number): number {
    return this.firstRecords[index + 1]! - this.firstRecords[index]!
  }

  /** The time of a record as readers see it. */
  timestamp(index: number, record: number): number {
    const { attributes, baseTimestamp, maxTimestamp } = this.headers[index]!
    return attributes & logAppendBit ? maxTimestamp : baseTimestamp + this.times[record]!
  }

  /** The batch that holds an offset or is the first behind it. */
  batchOf(offset: number): number {
    let low = 0
    for (let high = this.batchCount; low < high; ) {
      const middle = (low + high) >> 1
      const { baseOffset, lastOffsetDelta } = this.headers[middle]!
      if (baseOffset + lastOffsetDelta < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The batch at a position, from the frame on. */
  batchAt(position: number): number {
    let low = 0
    for (let high = this.batchCount - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if (this.positions[middle]! <= position) low = middle
      else high = middle - 1
    }
    return low
  }
}

const logAppendBit = 0x08

/** Writes the 61 bytes of a header as they were, checksum and all. */
export function writeFrameHeader(bytes: Buffer, at: number, header: FrameHeader, recordCount: number): void {
  writeInt64(bytes, at, header.baseOffset)
  bytes.writeInt32BE(header.size - batch.overheadBytes, at + 8)
  bytes.writeInt32BE(header.leaderEpoch, at + 12)
  bytes[at + 16] = 2
  bytes.writeUInt32BE(header.crc, at + 17)
  bytes.writeInt16BE(header.attributes, at + 21)
  bytes.writeInt32BE(header.lastOffsetDelta, at + 23)
  writeInt64(bytes, at + 27, header.baseTimestamp)
  writeInt64(bytes, at + 35, header.maxTimestamp)
  writeInt64(bytes, at + 43, header.producerId)
  bytes.writeInt16BE(header.producerEpoch, at + 51)
  bytes.writeInt32BE(header.baseSequence, at + 53)
  bytes.writeInt32BE(recordCount, at + 57)
}

/** The other way: what a header says, bytes and checksum included. */
export const headerOf = (bytes: Buffer, at: number): FrameHeader => ({
  baseOffset: batch.baseOffset(bytes, at),
  lastOffsetDelta: batch.lastOffsetDelta(bytes, at),
  size: batch.sizeInBytes(bytes, at),
  crc: batch.crc(bytes, at),
  attributes: batch.attributes(bytes, at),
  leaderEpoch: batch.partitionLeaderEpoch(bytes, at),
  producerId: batch.producerId(bytes, at),
  producerEpoch: batch.producerEpoch(bytes, at),
  baseSequence: batch.baseSequence(bytes, at),
  baseTimestamp: batch.baseTimestamp(bytes, at),
  maxTimestamp: batch.maxTimestamp(bytes, at),
})

function writeInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000) | 0, at)
  bytes.writeUInt32BE(value >>> 0, at + 4)
}
