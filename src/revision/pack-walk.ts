// The batches of a source, one after the other, and their records: the packer goes over them twice and the check once more.

import { Corruption } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { RecordCursor, unpackedRecords } from '../../protocol/records/record.ts'
import type { PackSource } from './pack-job.ts'
import type { RecordParts } from './pack-pieces.ts'

const windowBytes = 1024 * 1024
/** The broker took these in itself: what they unpack to was bounded then. */
const unpackedBytesMax = 0x7fff_ffff

export class SourceWalk {
  readonly #source: PackSource
  readonly #cursor = new RecordCursor()
  readonly #keptUnpacked: Map<number, Buffer> | undefined
  #window: Buffer = Buffer.alloc(0)
  #windowAt = 0
  #next = 0
  /** Where the batch lies in `bytes`. */
  at = 0
  size = 0
  /** Where the batch lies in the source. */
  position = 0

  /** `unpacked`: where what packed batches hold is kept from one walk to the next, by position. */
  constructor(source: PackSource, unpacked?: Map<number, Buffer>) {
    this.#source = source
    this.#keptUnpacked = unpacked
  }

  get bytes(): Buffer {
    return this.#window
  }

  /** To the next batch; false behind the last. */
  next(): boolean {
    const position = this.#next
    const left = this.#source.length - position
    if (left === 0) return false
    if (left < batch.headerBytes) throw this.#noBatch(position)
    this.#show(position, batch.headerBytes, left)
    let at = position - this.#windowAt
    const size = batch.sizeInBytes(this.#window, at)
    if (size < batch.headerBytes || size > left || batch.magic(this.#window, at) !== 2) throw this.#noBatch(position)
    this.#show(position, size, left)
    at = position - this.#windowAt
    this.at = at
    this.size = size
    this.position = position
    this.#next = position + size
    return true
  }

  #noBatch(position: number): Corruption {
    return new Corruption(`what is to be packed holds no batch at byte ${position}`)
  }

  #show(position: number, byteCount: number, left: number): void {
    const end = this.#windowAt + this.#window.length
    if (position >= this.#windowAt && position + byteCount <= end) return
    this.#window = this.#source.read(position, Math.min(left, Math.max(windowBytes, byteCount)))
    this.#windowAt = position
  }

  /** No records to speak of: a marker, or what compaction left of a batch. */
  get isBare(): boolean {
    return batch.isControl(this.#window, this.at) || batch.recordCount(this.#window, this.at) === 0
  }

  /** A cursor before the first record of the batch. */
  records(): RecordCursor {
    const { bytes, at, position } = this
    const count = batch.recordCount(bytes, at)
    if (batch.codec(bytes, at) === 0) return this.#cursor.reset(bytes, at + batch.headerBytes, at + this.size, count)
    let records = this.#keptUnpacked?.get(position)
    if (records === undefined) {
      records = unpackedRecords(bytes, at, unpackedBytesMax)
      this.#keptUnpacked?.set(position, records)
    }
    return this.#cursor.reset(records, 0, records.length, count)
  }
}

/** The record that a cursor stands on, in parts: views. */
export function partsAt(cursor: RecordCursor): RecordParts {
  const start = cursor.valueStart + Math.max(0, cursor.valueLength)
  const isBare = cursor.end - start === 1 && cursor.bytes[start] === 0
  return {
    timestampDelta: cursor.timestampDelta,
    offsetDelta: cursor.offsetDelta,
    key: cursor.key(),
    value: cursor.value(),
    headers: isBare ? undefined : cursor.bytes.subarray(start, cursor.end),
  }
}
