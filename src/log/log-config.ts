// What a log wants to know of its topic's configuration. The topic's own object serves, so a change takes effect at once.

export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** -1: for ever. */
  readonly retentionMs: number
  /** -1: without limit. */
  readonly retentionBytes: number
  readonly indexIntervalBytes: number
  readonly maxMessageBytes: number
  readonly logAppendTime: boolean
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** `cleanup.policy` holds delete: retention applies. */
  readonly deletes: boolean
  /** `cleanup.policy` holds compact: records need keys. */
  readonly compacts: boolean
  /** Codec that every batch is brought to; undefined keeps what the producer sent. */
  readonly codec: number | undefined
}
