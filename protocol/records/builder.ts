// Makes record batches: for the broker's own topics, for compaction, for tests. Clients' batches are stored as they came.

import * as batch from './batch.ts'
import { type CodecName, codecs, compress } from './compression.ts'
import { type NewRecord, sizeOfRecordBody, writeRecord } from './record.ts'

export type BatchOptions = {
  /** Offset of the first record, unless the records bring offsets of their own. */
  baseOffset?: number
  codec?: CodecName
  /** For gzip and zstd. */
  level?: number
  partitionLeaderEpoch?: number
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  isTransactional?: boolean
  isControl?: boolean
  /** The time of every record, whatever the records say. */
  logAppendTime?: number
  /** From when on the tombstones of this batch may go; takes the place of the base timestamp (KIP-534). */
  deleteHorizon?: number
  /** For a batch whose last records were compacted away but whose offsets still count. */
  lastOffset?: number
}

/** `offset` leaves gaps, as compaction does; without it records are consecutive. */
export type BatchRecord = NewRecord & { timestamp?: number; offset?: number }

const recordLengthBytesMax = 5

/** Where a batch is put together; grows with the largest. */
export type BatchRoom = { bytes: Buffer }

export class BatchBuilder {
  readonly #options: BatchOptions
  readonly #room: BatchRoom
  #end = batch.headerBytes
  #count = 0
  #lastOffsetDelta = -1
  #baseTimestamp: number = batch.noTimestamp
  #maxTimestamp: number = batch.noTimestamp

  /** With a `room` that others have used before, what `build` gives is good until the next one appends. */
  constructor(options: BatchOptions = {}, room: BatchRoom = { bytes: Buffer.allocUnsafe(1024) }) {
    this.#options = options
    this.#room = room
    if (options.deleteHorizon !== undefined) this.#baseTimestamp = options.deleteHorizon
  }

  get recordCount(): number {
    return this.#count
  }

  /** Bytes of the batch so far, unpacked. */
  get size(): number {
    return this.#end
  }

  append(record: BatchRecord): this {
    const timestamp = record.timestamp ?? batch.noTimestamp
    if (this.#count === 0 && this.#options.deleteHorizon === undefined) this.#baseTimestamp = timestamp
    const offsetDelta =
      record.offset === undefined ? this.#lastOffsetDelta + 1 : record.offset - (this.#options.baseOffset ?? 0)
    if (offsetDelta <= this.#lastOffsetDelta) throw new RangeError('offsets of a batch must rise')
    const timestampDelta = timestamp - this.#baseTimestamp
    const bodySize = sizeOfRecordBody(record, offsetDelta, timestampDelta)
    this.#makeRoom(bodySize + recordLengthBytesMax)
    this.#end = writeRecord(this.#room.bytes, this.#end, record, offsetDelta, timestampDelta, bodySize)
    this.#maxTimestamp = Math.max(this.#maxTimestamp, timestamp)
    this.#lastOffsetDelta = offsetDelta
    this.#count++
    return this
  }

  #makeRoom(byteCount: number): void {
    const { bytes } = this.#room
    if (this.#end + byteCount <= bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#end + byteCount, bytes.length * 2))
    bytes.copy(larger, 0, 0, this.#end)
    this.#room.bytes = larger
  }

  /** The finished batch. The builder is spent. */
  build(): Buffer {
    const { codec = 'none', level, logAppendTime, deleteHorizon, lastOffset, ...fields } = this.#options
    const codecNumber = codecs.indexOf(codec)
    let bytes = this.#room.bytes.subarray(0, this.#end)
    // Java leaves a batch without records unpacked, and packed nothing is more than nothing.
    const isPacked = codecNumber > 0 && this.#count > 0
    if (isPacked) {
      const packed = compress(codecNumber, bytes.subarray(batch.headerBytes), level)
      bytes = Buffer.concat([bytes.subarray(0, batch.headerBytes), packed])
    }
    batch.writeHeader(bytes, 0, bytes.length, {
      ...fields,
      codec: isPacked ? codecNumber : 0,
      isLogAppendTime: logAppendTime !== undefined,
      hasDeleteHorizon: deleteHorizon !== undefined,
      lastOffsetDelta: lastOffset === undefined ? this.#lastOffsetDelta : lastOffset - (fields.baseOffset ?? 0),
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: logAppendTime ?? this.#maxTimestamp,
      recordCount: this.#count,
    })
    return bytes
  }
}

export function encodeBatch({ records, ...options }: BatchOptions & { records: Iterable<BatchRecord> }): Buffer {
  const builder = new BatchBuilder(options)
  for (const record of records) builder.append(record)
  return builder.build()
}
