// Single records of files that are not packed, by their offsets. Who asks as offsets rise pays for each batch once.

import * as batch from '../../protocol/records/batch.ts'
import { type RecordCursor, type StoredRecord, walkRecords } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import { segmentIndexOf } from '../log/segment-search.ts'
import { borrow } from '../storage/file.ts'
import { timestampOf } from './batch-walk.ts'

/** Batches that are remembered, unpacked, and the bytes beyond which only the last one is. */
const openMax = 8
const openBytesMax = 16 * 1024 * 1024

/** A batch in bytes of its own, and how far it was walked. */
class OpenBatch {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly #bytes: Buffer
  #cursor: RecordCursor
  #isAtEnd = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.baseOffset = batch.baseOffset(bytes, 0)
    this.nextOffset = batch.nextOffset(bytes, 0)
    this.#cursor = walkRecords(bytes, 0)
  }

  get byteCount(): number {
    return this.#bytes.length + (this.#cursor.bytes === this.#bytes ? 0 : this.#cursor.bytes.length)
  }

  at(offset: number): StoredRecord | undefined {
    const delta = offset - this.baseOffset
    const cursor = this.#cursor
    if (this.#isAtEnd || (cursor.index >= 0 && cursor.offsetDelta > delta)) this.#restart()
    while (cursor.index < 0 || cursor.offsetDelta < delta) {
      if (!cursor.next()) {
        this.#isAtEnd = true
        return undefined
      }
    }
    if (cursor.offsetDelta !== delta) return undefined
    const timestamp = timestampOf(this.#bytes, 0, cursor)
    return { offset, timestamp, key: cursor.key(), value: cursor.value(), headers: cursor.headers() }
  }

  #restart(): void {
    const { bytes } = this.#cursor
    const start = bytes === this.#bytes ? batch.headerBytes : 0
    this.#cursor.reset(bytes, start, bytes.length, batch.recordCount(this.#bytes, 0))
    this.#isAtEnd = false
  }
}

export class StoredRecords {
  /** The one that was used last stands last. */
  #open: OpenBatch[] = []

  /** Undefined where there is none: a marker, a hole, or retention has taken it. */
  at(log: Log, offset: number): StoredRecord | undefined {
    const last = this.#open.at(-1)
    if (last !== undefined && offset >= last.baseOffset && offset < last.nextOffset) return last.at(offset)
    const known = this.#open.findIndex(({ baseOffset, nextOffset }) => offset >= baseOffset && offset < nextOffset)
    const found = known >= 0 ? this.#open.splice(known, 1)[0] : load(log, offset)
    if (found === undefined) return undefined
    this.#open.push(found)
    this.#trim()
    return found.at(offset)
  }

  #trim(): void {
    let byteCount = 0
    for (const { byteCount: own } of this.#open) byteCount += own
    while (this.#open.length > 1 && (this.#open.length > openMax || byteCount > openBytesMax)) {
      byteCount -= this.#open.shift()!.byteCount
    }
  }

  /** Files were replaced: what is remembered may not be there any more. */
  clear(): void {
    this.#open = []
  }
}

/** A copy: whoever asks for one record mostly asks for its neighbours, and a lease would hold the file for as long as the index lives. */
function load(log: Log, offset: number): OpenBatch | undefined {
  const segment = log.segments[segmentIndexOf(log.segments, offset)]
  if (segment === undefined || offset < segment.baseOffset) return undefined
  const found = segment.find(offset)
  if (found === undefined || found.baseOffset > offset) return undefined
  const open = borrow(segment.read(found.position, found.byteCount), (bytes) => Buffer.from(bytes))
  return batch.isControl(open, 0) ? undefined : new OpenBatch(open)
}
