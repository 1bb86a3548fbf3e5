// What the logs of one store cost beside what is asked of them, for whoever looks at metrics: flushes, openings, compaction.

import { Durations } from '../storage/durations.ts'
import type { Store } from '../storage/file.ts'

export class LogWork {
  /** What acknowledgements wait for. */
  readonly flushes = new Durations()
  /** Of logs whenever one is opened; what a checkpoint does not vouch for is scanned. */
  readonly openings = new Durations()
  scannedBytes = 0
  /** Torn tails. */
  cutBytes = 0
  readonly compactions = new Durations()
  compactedBytesBefore = 0
  compactedBytesAfter = 0
}

const works = new WeakMap<Store, LogWork>()

export function workOn(store: Store): LogWork {
  const work = works.get(store) ?? new LogWork()
  works.set(store, work)
  return work
}
