// What a start has found of a log.

import type { Checkpoint } from './checkpoint.ts'
import type { Lost } from './inherited.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'

export type Recovered = {
  segments: Segment[]
  logStartOffset: number
  epochs: LeaderEpochs
  producers: ProducerState
  /** Below it compaction has been. */
  compactedOffset: number
  /** What was known beforehand; undefined where nothing was. */
  checkpoint: Checkpoint | undefined
  /** Of a fork. */
  shared: {
    /** What a power cut took of it. */
    lost: readonly Lost[]
    /** The rest is on stable storage: it was from the beginning, or was found there after a power cut. */
    isSettled: boolean
    /** This start has found it so. */
    wasDoubted: boolean
  }
  /** Bytes that were scanned, and bytes that were cut off behind the last whole batch. */
  scannedBytes: number
  cutBytes: number
}
