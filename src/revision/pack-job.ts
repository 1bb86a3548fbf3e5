// What a packer hands in and gets back: bytes of segments on one side, bytes of a pack on the other, and plain values between, which
// a worker thread can be sent.

import type { AbortedTransaction } from '../log/open-transactions.ts'
import type { KeyHash } from './key-hash.ts'

/** The bytes of one or more neighbouring segments, one behind the other; of packs their rebuilt batches. */
export type PackSource = {
  baseOffset: number
  /** Offset behind the last record, or behind the hole after it. */
  nextOffset: number
  length: number
  /** Exactly `byteCount` bytes, good until the next read at least; who keeps them copies them. */
  read(position: number, byteCount: number): Buffer
}

/** Where the pack goes, front to back. The bytes are the sink's to keep. */
export type PackSink = { write(bytes: Buffer): void }

export type PackOptions = {
  /**
   * One number for each record of each data batch (no control batch), in order. n > 0: revision n of its key. 0: no revision, kept as
   * it is. -n: revision n, left out (a keep rule). NaN: taken back, left out.
   */
  revs: Float64Array
  /** `revision.keyframe.every`. */
  keyframeEvery: number
  /** `revision.diff.max.bytes`. */
  diffMaxBytes: number
  /** `revision.index.json`. */
  pointers: readonly string[]
  /** Of the segments together, in the order of the markers. */
  aborted: readonly AbortedTransaction[]
  /** `index.interval.bytes`, for the ordinary index of the rebuilt batches. */
  indexIntervalBytes?: number
  /** For tests. */
  hash?: KeyHash
  lengthMax?: number | undefined
}

/** What came of it: enough to swap the pack in. Structured-cloneable. */
export type Packed = {
  baseOffset: number
  nextOffset: number
  /** Bytes of the rebuilt batches: positions count in these. */
  virtualLength: number
  /** Bytes of the pack. */
  storedBytes: number
  /** Bytes of the records as they were, unpacked. */
  fullBytes: number
  maxTimestamp: number
  /** For `new OffsetIndex(…)` and `new TimeIndex(…)`. */
  offsetEntries: Int32Array
  timeEntries: Float64Array
  aborted: readonly AbortedTransaction[]
  keyCount: number
  /** Entries: revisions that are kept, and records that are none. */
  entryCount: number
  batchCount: number
  /** Values that `pointers` were asked of and that are no JSON. */
  unparsed: number
}

/** More than one file of rebuilt batches can hold: positions in it are 31 bits wide. Or more than there should be in memory at once. */
export class PackTooLarge extends Error {
  static of(
    { baseOffset, nextOffset }: Pick<PackSource, 'baseOffset' | 'nextOffset'>,
    lengthMax: number,
  ): PackTooLarge {
    return new PackTooLarge(
      `offsets ${baseOffset} to ${nextOffset - 1} unpack to more than the ${lengthMax} bytes that a pack can hold: smaller segments (segment.bytes) can be packed`,
    )
  }
}

export const packLengthMax = 0x7fff_ffff
