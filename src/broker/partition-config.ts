// What a partition needs of its topic's configuration beside what its log needs.

import type { LogConfig } from '../log/log-config.ts'

export interface PartitionConfig extends LogConfig {
  /** An acknowledgement waits for a flush once this many records are not flushed; 1: each batch. */
  readonly flushMessages: number
  /** Background flush of what is older, ms. */
  readonly flushMs: number
  /** Replicas that must be in sync for `acks=all`. */
  readonly minInsyncReplicas: number
}
