// The batches of a merge, encoded while both sides go on writing: what is left to do in the moment of the merge is to put them
// behind the target's log end.

import * as batch from '../../protocol/records/batch.ts'
import { BatchBuilder, type BatchRoom } from '../../protocol/records/builder.ts'
import { type CodecName, codecName } from '../../protocol/records/compression.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record.ts'
import { Rejection } from './events.ts'
import type { Place } from './knowledge.ts'
import { type MergeHeaders, sourceOffsetOf } from './origin.ts'
import type { Vector } from './vector.ts'

/** Headers of ours may make a record longer than the topic allows, by this much. */
const headerBytesSpare = 1024
/** Consumers take one batch at a time; one that is to be packed holds everybody up for as long as that takes. */
const batchBytesMax = 512 * 1024
const packedBytesMax = 64 * 1024

export type OwnProducer = { readonly producerId: number; readonly producerEpoch: number }

export type WriterOptions = {
  readonly headers: MergeHeaders
  readonly producer: OwnProducer
  /** `max.message.bytes` of the target. */
  readonly messageBytesMax: number
  /** Of all that is written: it is encoded before its moment comes. Absent: however much. */
  readonly mergeBytesMax?: number | undefined
  readonly codec: CodecName | undefined
  /** Whether what the target knows after the merge covers an origin. */
  readonly covers: (origin: Place) => boolean
  /** Nobody will ask for batches. */
  readonly counts?: boolean
}

export class MergeWriter {
  readonly #options: WriterOptions
  readonly #batches: { bytes: Buffer; readonly first: number; readonly last: number }[] = []
  /** Offsets of the source that the batch being built has. */
  #first = Infinity
  #last = -1
  #builder: BatchBuilder | undefined
  /** One for all batches: room that grows anew for each is soon half a gigabyte, and makes the collector stop everybody. */
  readonly #room: BatchRoom = { bytes: Buffer.allocUnsafeSlow(1024) }
  #sequence = 0
  #byteCount = 0
  #written = 0
  readonly #loose: Record<string, number> = {}

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Records so far. */
  get written(): number {
    return this.#written
  }

  /** Origins that the target does not know by its vector afterwards. */
  get loose(): Vector | undefined {
    return Object.keys(this.#loose).length === 0 ? undefined : this.#loose
  }

  /** Adds a copy of a source's record under an origin. */
  add(record: Pick<StoredRecord, 'offset' | 'timestamp' | 'key' | 'value' | 'headers'>, origin: Place): void {
    const { headers, covers, counts } = this.#options
    this.#written++
    if (counts) return
    if (!covers(origin)) {
      this.#loose[origin.branch] = Math.max(this.#loose[origin.branch] ?? 0, origin.offset + 1)
    }
    const { timestamp, key, value } = record
    const size = (key?.length ?? 0) + (value?.length ?? 0)
    if (this.#builder !== undefined && this.#builder.size + size > this.#bytesMax) this.#finish()
    this.#builder ??= this.#begin()
    this.#builder.append({ timestamp, key, value, headers: headers.of(record.headers, record.offset, origin) })
    this.#first = Math.min(this.#first, record.offset)
    this.#last = Math.max(this.#last, record.offset)
    if (this.#builder.size > this.#options.messageBytesMax + headerBytesSpare) this.#finish()
  }

  get #bytesMax(): number {
    const { codec = 'none', messageBytesMax } = this.#options
    return Math.min(codec === 'none' ? batchBytesMax : packedBytesMax, messageBytesMax)
  }

  #begin(): BatchBuilder {
    const { producer, codec = 'none' } = this.#options
    return new BatchBuilder({ ...producer, codec, baseSequence: this.#sequence, isTransactional: true }, this.#room)
  }

  /** Throws a Rejection where a record is too large for the target. */
  #finish(): void {
    const builder = this.#builder
    if (builder === undefined) return
    this.#builder = undefined
    const allowed = this.#options.messageBytesMax + headerBytesSpare
    const { recordCount } = builder
    const bytes = builder.build()
    if (bytes.length > Math.max(allowed, this.#bytesMax + headerBytesSpare) && recordCount === 1) {
      const message = `A record of ${bytes.length} bytes; max.message.bytes of the target is ${this.#options.messageBytesMax}. Raise that, or merge the other keys (keys, keyPrefix).`
      throw new Rejection('MESSAGE_TOO_LARGE', message)
    }
    this.#byteCount += bytes.length
    const { mergeBytesMax = Number.POSITIVE_INFINITY } = this.#options
    if (this.#byteCount > mergeBytesMax) {
      const message = `More than ${mergeBytesMax} bytes would be written into one partition at once, which is branch.max.merge.bytes. Take a part at a time (keys, keyPrefix), merge by fast-forward, or raise the option.`
      throw new Rejection('MERGE_TOO_LARGE', message)
    }
    this.#sequence += recordCount
    this.#batches.push({ bytes: copyOf(bytes), first: this.#first, last: this.#last })
    this.#first = Infinity
    this.#last = -1
  }

  /** Takes records of these offsets of the source out again. */
  drop(sourceOffsets: ReadonlySet<number>): void {
    if (sourceOffsets.size === 0) return
    if (this.#options.counts) this.#written -= sourceOffsets.size
    this.#finish()
    const dropped = [...sourceOffsets]
    for (const written of this.#batches) {
      const { bytes, first, last } = written
      if (bytes.length === 0 || !dropped.some((offset) => first <= offset && offset <= last)) continue
      const records = [...readRecords(bytes, 0)]
      const left = records.filter(({ headers }) => !sourceOffsets.has(sourceOffsetOf(headers) ?? -1))
      if (left.length === records.length) continue
      this.#written -= records.length - left.length
      written.bytes = left.length === 0 ? Buffer.alloc(0) : reencoded(bytes, left)
    }
  }

  /** All that is to be written, in order. */
  batches(): readonly Buffer[] {
    this.#finish()
    return this.#batches.map(({ bytes }) => bytes).filter(({ length }) => length > 0)
  }
}

/** As large as it is, and nobody else's. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

function reencoded(bytes: Buffer, records: readonly StoredRecord[]): Buffer {
  const builder = new BatchBuilder({
    codec: codecName(batch.codec(bytes, 0)),
    producerId: batch.producerId(bytes, 0),
    producerEpoch: batch.producerEpoch(bytes, 0),
    baseSequence: batch.baseSequence(bytes, 0),
    isTransactional: true,
  })
  for (const { timestamp, key, value, headers } of records) builder.append({ timestamp, key, value, headers })
  return builder.build()
}
