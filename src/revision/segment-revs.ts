// The numbers of all records of some segments, for whoever packs them: in the order in which they stand.

import * as batch from '../../protocol/records/batch.ts'
import { RecordCursor, walkRecords } from '../../protocol/records/record.ts'
import type { Segment } from '../log/segment.ts'
import { walkBatches } from './batch-walk.ts'
import type { KnownParts } from './known-parts.ts'
import { none, type Part, partIndexOf } from './part.ts'
import type { Revisions } from './revisions.ts'
import { TakenBack } from './taken-back.ts'
import { isUnreadable } from './unreadable.ts'

/** Bytes that are looked at before others have their turn. */
const sliceBytes = 128 * 1024

/**
 * One number for each record of each batch with records: that of the revision, 0 where it is none, NaN where it was taken
 * back. All of it must be known (`Revisions.ready`). Yields after every slice.
 */
export function* revsOf(revisions: Revisions, segments: readonly Segment[]): Generator<void, Float64Array> {
  const revs = new GrowingRevs(revisions.known)
  for (const segment of segments) {
    const { baseOffset, nextOffset } = segment
    const takenBack = new TakenBack(revisions.log, baseOffset, nextOffset)
    for (let from = baseOffset; from < nextOffset; ) {
      let left = sliceBytes
      from = walkBatches(segment, from, nextOffset, (bytes, at) => {
        if (batch.isControl(bytes, at)) return false
        revs.take(bytes, at, takenBack.has(bytes, at))
        left -= batch.sizeInBytes(bytes, at)
        return left <= 0
      })
      yield
    }
  }
  return revs.all
}

class GrowingRevs {
  readonly #known: KnownParts
  readonly #cursor = new RecordCursor()
  #revs = new Float64Array(1024)
  #count = 0
  #part: Part | undefined

  constructor(known: KnownParts) {
    this.#known = known
  }

  get all(): Float64Array {
    return this.#revs.subarray(0, this.#count)
  }

  take(bytes: Buffer, at: number, isTakenBack: boolean): void {
    const count = batch.recordCount(bytes, at)
    if (this.#count + count > this.#revs.length) {
      const more = new Float64Array(Math.max(this.#count + count, 2 * this.#revs.length))
      more.set(this.#revs)
      this.#revs = more
    }
    if (isTakenBack) this.#revs.fill(Number.NaN, this.#count, this.#count + count)
    else this.#number(bytes, at)
    this.#count += count
  }

  #number(bytes: Buffer, at: number): void {
    const base = batch.baseOffset(bytes, at)
    try {
      const cursor = walkRecords(bytes, at, undefined, this.#cursor)
      while (cursor.next()) {
        if (cursor.keyLength >= 0) this.#revs[this.#count + cursor.index] = this.#revAt(base + cursor.offsetDelta)
      }
    } catch (cause) {
      if (!isUnreadable(cause)) throw cause
    }
  }

  #revAt(offset: number): number {
    const last = this.#part
    if (last === undefined || offset < last.baseOffset || offset >= last.nextOffset) {
      this.#part = this.#known.all[partIndexOf(this.#known.all, offset)]
    }
    const entry = this.#part?.entryAt(offset) ?? none
    return entry === none ? 0 : this.#part!.revOf(entry)
  }
}
