// What a log wants to know of its topic's configuration. The topic's own object serves, so a change takes effect at once.

import type { OpenPacked } from './packed.ts'

export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** -1: for ever. */
  readonly retentionMs: number
  /** -1: without limit. */
  readonly retentionBytes: number
  readonly indexIntervalBytes: number
  readonly maxMessageBytes: number
  /** The largest record in a packed batch; absent: any. */
  readonly unpackedRecordBytesMax?: number
  readonly logAppendTime: boolean
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** `cleanup.policy` holds delete: retention applies. */
  readonly deletes: boolean
  /** `cleanup.policy` holds compact: records need keys. */
  readonly compacts: boolean
  /** Records need keys for another reason. */
  readonly needsKeys?: boolean
  /** Codec that every batch is brought to; undefined keeps what the producer sent. */
  readonly codec: number | undefined
  /** Share of not yet compacted bytes from which compaction is worth its work, 0 to 1. */
  readonly minCleanableDirtyRatio: number
  /** Records younger than this are not compacted yet. */
  readonly minCompactionLagMs: number
  /** Records older than this are compacted whatever the share. */
  readonly maxCompactionLagMs: number
  /** How long a tombstone, or a marker without a transaction, outlives the compaction that found it. */
  readonly deleteRetentionMs: number
  /** Memory for the keys of one round of compaction. */
  readonly dedupeBufferBytes: number
  /** Opens packed files; absent where there can be none. */
  readonly openPacked?: OpenPacked
}
