// What was known of producers as of an offset, in a file of its own, so that a start need not read the log for it.

import { type Store, saveAside } from '../storage/file.ts'
import { isShortage } from '../storage/shortage.ts'
import { ProducerState } from './producer-state.ts'
import { segmentName } from './segment-name.ts'

const pathOf = (folder: string, offset: number): string => `${folder}/${segmentName(offset, 'snapshot')}`

/** Offsets of the snapshots in a folder, ascending. */
export function snapshotOffsets(store: Store, folder: string): number[] {
  return store
    .list(folder)
    .filter((name) => /^\d{20}\.snapshot$/.test(name))
    .map((name) => Number.parseInt(name, 10))
}

/** Keeps what is known of producers as of an offset. */
export function saveSnapshot(store: Store, folder: string, offset: number, producers: ProducerState): void {
  store.save(pathOf(folder, offset), producers.encode(), false)
}

/**
 * The newest snapshot as of `offset` or before: what a checkpoint vouches for, or what was deleted. A later one may tell
 * of batches that a power cut took. Without one nothing is known from before the first batch (offset -1). Removes those
 * that cannot be read.
 */
export function loadSnapshot(
  store: Store,
  folder: string,
  offset: number,
): { offset: number; producers: ProducerState } {
  const usable = snapshotOffsets(store, folder).filter((at) => at <= offset)
  for (const at of usable.reverse()) {
    try {
      return { offset: at, producers: ProducerState.decode(store.load(pathOf(folder, at))!) }
    } catch (cause) {
      if (isShortage(cause)) throw cause // the next time it can be read
      // Not whole after a power cut: an older one, or the log itself, knows the same. It must not outlive that one.
      store.remove(pathOf(folder, at))
    }
  }
  return { offset: -1, producers: new ProducerState() }
}

/** Brings one to stable storage, if it is there. Rejects with StorageError. */
export async function flushSnapshot(store: Store, folder: string, offset: number): Promise<void> {
  const path = pathOf(folder, offset)
  const content = store.load(path)
  if (content !== undefined) await saveAside(store, path, content, () => store.exists(path))
}

/** The same at once, for a start. Throws StorageError. */
export function keepSnapshot(store: Store, folder: string, offset: number): void {
  const path = pathOf(folder, offset)
  const content = store.load(path)
  if (content !== undefined) store.save(path, content, true)
}

/** Removes the snapshots that one as of `offset` has made useless, but for `kept`. Later ones wait for their own checkpoint. */
export function dropSnapshots(store: Store, folder: string, offset: number, kept: readonly number[] = []): void {
  const offsets = snapshotOffsets(store, folder)
  if (!offsets.includes(offset)) return
  for (const at of offsets) if (at < offset && !kept.includes(at)) store.remove(pathOf(folder, at))
}

/** Removes what tells of batches that are not there. */
export function dropSnapshotsAbove(store: Store, folder: string, logEndOffset: number): void {
  for (const at of snapshotOffsets(store, folder)) if (at > logEndOffset) store.remove(pathOf(folder, at))
}
