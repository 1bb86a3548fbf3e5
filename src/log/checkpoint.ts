// The few facts of a partition that its files do not tell: where its log starts, which epochs wrote it, and up to where
// everything is flushed and indexed. JSON, so that a person can read it; unknown members are kept.
//
// Saving durably stalls everyone for a flush, so only what must never be lost is saved so, as `checkpoint`. What happens
// often goes to `checkpoint.recent`: a kill keeps it, and a power cut that leaves half of it falls back on the other.

import { StorageError } from '../../protocol/errors.ts'
import { type Store, saveAside } from '../storage/file.ts'
import { encodeChecked, parseChecked } from './checked-json.ts'
import type { Inherited, Lost } from './inherited.ts'
import type { EpochEntry } from './leader-epochs.ts'
import { keepSnapshot } from './producer-snapshot.ts'

export type Checkpoint = {
  v: 1
  /** Counts the savings of this log: the larger is the newer. */
  count: number
  logStartOffset: number
  epochs: readonly EpochEntry[]
  /** Below it compaction has been: offsets may be missing there. Only ever raised durably. */
  compactedOffset?: number
  /** Below it everything is compacted as far as it goes. */
  cleanOffset?: number
  /** Of a fork: what it shares was looked at after a power cut, or had been on stable storage from the beginning. */
  settled?: boolean
  /** Of a fork: what a power cut took of what it shares. */
  lost?: readonly Lost[]
  /** Everything below lies on stable storage with its index: a scan begins here. */
  recovered: { offset: number; segment: number; position: number }
}

export const checkpointNames = ['checkpoint', 'checkpoint.recent'] as const
const [durableName, recentName] = checkpointNames

/** Undefined where the bytes are no checkpoint, or not the one that was written. Those from before there were checksums have none. */
export function parseCheckpoint(bytes: Buffer): Checkpoint | undefined {
  try {
    const checkpoint = parseChecked(bytes) as Checkpoint
    return Number.isFinite(checkpoint.count) && Number.isFinite(checkpoint.recovered?.position) ? checkpoint : undefined
  } catch {
    return undefined
  }
}

/** The newest that can be read; without one the log is scanned from its first file. */
export function loadCheckpoint(store: Store, folder: string): Checkpoint | undefined {
  let newest: Checkpoint | undefined
  for (const name of checkpointNames) {
    const bytes = store.load(`${folder}/${name}`)
    const found = bytes && parseCheckpoint(bytes)
    if (bytes !== undefined && found === undefined)
      console.error(`${folder}/${name} is not what was written: the log is looked through instead.`)
    if (found !== undefined && (newest === undefined || found.count > newest.count)) newest = found
  }
  return newest
}

export function saveCheckpoint(store: Store, folder: string, checkpoint: Checkpoint, durable: boolean): void {
  store.save(`${folder}/${durable ? durableName : recentName}`, encodeChecked(checkpoint), durable)
  if (durable) store.remove(`${folder}/${recentName}`)
}

/** What a power cut leaves of them. */
export function durableCheckpoint(store: Store, folder: string): Checkpoint | undefined {
  const bytes = store.load(`${folder}/${durableName}`)
  return bytes && parseCheckpoint(bytes)
}

/**
 * Makes sure that a power cut leaves the log start that a start has found, and with it the producers as of there; false where
 * the disk takes no note of it now. Where no file with records may be left to tell where the log goes on, it must not begin at
 * 0 again. What lies there already proves nothing: a kill may have come before its name was on stable storage.
 */
export function tellsDurably(store: Store, folder: string, checkpoint: Checkpoint | undefined): boolean {
  // The record of a fork tells where it starts until it has a checkpoint of its own.
  if (checkpoint === undefined || checkpoint.count === 0) return true
  try {
    keepSnapshot(store, folder, checkpoint.logStartOffset)
    saveCheckpoint(store, folder, checkpoint, true)
    return true
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause
    return false
  }
}

/** Saves durably without stalling anybody (`saveAside`); false where `isNewest` said no when it was written. */
export function saveCheckpointAside(
  store: Store,
  folder: string,
  checkpoint: Checkpoint,
  isNewest: () => boolean,
): Promise<boolean> {
  return saveAside(store, `${folder}/${durableName}`, encodeChecked(checkpoint), isNewest)
}

/** What there is to know of a fork before it was ever closed. */
export const checkpointOf = ({ logStartOffset, epochs, compactedOffset, ownFrom }: Inherited): Checkpoint => ({
  v: 1,
  count: 0,
  logStartOffset,
  epochs,
  compactedOffset,
  recovered: { offset: ownFrom, segment: ownFrom, position: 0 },
})
