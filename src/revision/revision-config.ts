// How a revision topic keeps its values, as packers and indexes read it.

import type { KeepRules } from './keep-rules.ts'

export type RevisionConfig = KeepRules & {
  /** The most revisions of one delta chain. */
  readonly keyframeEvery: number
  /** Longer values are stored full. */
  readonly diffMaxBytes: number
  /** How long a segment has been closed before it is packed. */
  readonly packLagMs: number
}
