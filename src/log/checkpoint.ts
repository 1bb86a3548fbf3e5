// The few facts of a partition that its files do not tell: where its log starts, which epochs wrote it, and up to where
// everything is flushed and indexed. JSON, so that a person can read it; unknown members are kept.

import type { Store } from '../storage/file.ts'
import type { EpochEntry } from './leader-epochs.ts'

export type Checkpoint = {
  v: 1
  logStartOffset: number
  epochs: readonly EpochEntry[]
  /** Below it compaction has been: offsets may be missing there. */
  compactedOffset?: number
  /** Everything below lies on stable storage with its index: a scan begins here. */
  recovered: { offset: number; segment: number; position: number }
}

const fileName = 'checkpoint'

export function loadCheckpoint(store: Store, folder: string): Checkpoint | undefined {
  const bytes = store.load(`${folder}/${fileName}`)
  if (bytes === undefined) return undefined
  try {
    const checkpoint = JSON.parse(bytes.toString()) as Checkpoint
    return typeof checkpoint.recovered?.position === 'number' ? checkpoint : undefined
  } catch {
    return undefined // as if it had never been written: the log is scanned from its first file
  }
}

export function saveCheckpoint(store: Store, folder: string, checkpoint: Checkpoint, durable: boolean): void {
  store.save(`${folder}/${fileName}`, Buffer.from(`${JSON.stringify(checkpoint)}\n`), durable)
}
