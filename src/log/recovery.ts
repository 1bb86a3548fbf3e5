// Opens a log from its files. What a checkpoint vouches for is believed; the rest is scanned batch by batch, the torn
// tail is cut off, and indexes and producer state are built again.

import { Corruption } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { borrow, type Store } from '../storage/file.ts'
import { type Checkpoint, loadCheckpoint } from './checkpoint.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { ProducerState } from './producer-state.ts'
import { Segment, segmentName } from './segment.ts'

export type Recovered = {
  segments: Segment[]
  logStartOffset: number
  epochs: LeaderEpochs
  producers: ProducerState
  /** Below it compaction has been. */
  compactedOffset: number
  /** Bytes that were scanned, and bytes that were cut off behind the last whole batch. */
  scannedBytes: number
  cutBytes: number
}

const scanBytes = 4 * 1024 * 1024

/** Base offsets of the segment files in a folder, ascending. */
export function segmentBases(store: Store, folder: string): number[] {
  return store
    .list(folder)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .map((name) => Number.parseInt(name, 10))
}

/**
 * Walks the batches of a segment from a position on and calls `visit` for each that is whole, follows the one before and,
 * where `check` asks for it, fits its checksum. Answers the position behind the last of them.
 */
export function scan(
  segment: Segment,
  from: number,
  nextOffset: number,
  check: boolean,
  visit: (bytes: Buffer, at: number, position: number) => void,
): number {
  let position = from
  let expected = nextOffset
  let windowBytes = scanBytes
  for (;;) {
    const start = position
    const ended = borrow(segment.read(start, windowBytes), (bytes) => {
      for (let at = 0; ; at = position - start) {
        const size = at + batch.headerBytes > bytes.length ? 0 : batch.sizeInBytes(bytes, at)
        // Cut by the window, not by the file: read on from here.
        if (at + Math.max(size, batch.headerBytes) > bytes.length && position + Math.max(size, 1) <= segment.length) {
          if (at > 0 || size > bytes.length) {
            windowBytes = Math.max(scanBytes, size)
            return false
          }
        }
        if (size < batch.headerBytes || at + size > bytes.length) return true
        if (batch.magic(bytes, at) !== 2 || batch.baseOffset(bytes, at) < expected) return true
        if (check && !batch.crcMatches(bytes, at)) return true
        visit(bytes, at, position)
        expected = batch.nextOffset(bytes, at)
        position += size
      }
    })
    if (ended) return position
  }
}

const snapshotPath = (folder: string, offset: number): string => `${folder}/${segmentName(offset, 'snapshot')}`

/** Keeps what is known of producers as of an offset. */
export function saveSnapshot(store: Store, folder: string, offset: number, producers: ProducerState): void {
  store.save(snapshotPath(folder, offset), producers.encode(), false)
}

/** Removes all snapshots but the one as of `offset`. */
export function dropSnapshots(store: Store, folder: string, offset: number): void {
  const kept = segmentName(offset, 'snapshot')
  for (const name of store.list(folder)) {
    if (name.endsWith('.snapshot') && name !== kept) store.remove(`${folder}/${name}`)
  }
}

function loadSnapshot(store: Store, folder: string, offset: number): ProducerState | undefined {
  const bytes = store.load(snapshotPath(folder, offset))
  if (bytes === undefined) return undefined
  try {
    return ProducerState.decode(bytes)
  } catch {
    return undefined
  }
}

/** Opens the log in a folder; an empty or missing folder is an empty log. Throws Corruption, StorageError. */
export function recover(store: Store, folder: string, growthMax: number, indexIntervalBytes: number): Recovered {
  const checkpoint: Checkpoint | undefined = loadCheckpoint(store, folder)
  const bases = segmentBases(store, folder)
  const epochs = new LeaderEpochs(checkpoint?.epochs)
  const logStartOffset = checkpoint?.logStartOffset ?? bases[0] ?? 0
  const point = checkpoint?.recovered ?? { offset: logStartOffset, segment: -1, position: 0 }
  let producers = loadSnapshot(store, folder, point.offset)
  const missing = producers === undefined && point.offset > logStartOffset
  producers ??= new ProducerState()
  const compactedOffset = checkpoint?.compactedOffset ?? 0
  const segments: Segment[] = []
  let scannedBytes = 0
  let cutBytes = 0
  for (const [i, base] of bases.entries()) {
    const last = i === bases.length - 1
    const physical = store.sizeOf(`${folder}/${segmentName(base, 'log')}`)
    // Written whole before the checkpoint: its index is believed.
    const vouched = base < point.segment || (base === point.segment && physical === point.position)
    const segment = new Segment(
      store,
      folder,
      base,
      growthMax,
      !last,
      vouched || base !== point.segment ? physical : point.position,
    )
    if (vouched && segment.loadIndex()) {
      if (missing) scan(segment, 0, base, false, (bytes, at) => producers.note(bytes, at))
      segments.push(segment)
      continue
    }
    const before = segments.at(-1)
    if (before !== undefined && base < before.nextOffset)
      throw new Corruption(`${segment.path} overlaps ${before.path}`)
    // A scan needs all bytes that are on the disk, pre-allocated zeros too.
    const whole = new Segment(store, folder, base, growthMax, !last, physical)
    whole.reset()
    const end = scan(whole, 0, base, true, (bytes, at, position) => {
      const size = batch.sizeInBytes(bytes, at)
      const nextOffset = batch.nextOffset(bytes, at)
      const baseOffset = batch.baseOffset(bytes, at)
      whole.note(position, size, baseOffset, nextOffset, batch.maxTimestamp(bytes, at), indexIntervalBytes)
      epochs.assign(batch.partitionLeaderEpoch(bytes, at), baseOffset)
      if (missing || nextOffset > point.offset) producers.note(bytes, at)
    })
    scannedBytes += end
    if (end < physical) {
      const torn = tornBytes(whole, end)
      if (torn > 0 && continues(whole, end)) throw new Corruption(`${whole.path}: the batch at byte ${end} is damaged`)
      cutBytes += torn
    }
    const next = bases[i + 1]
    if (next !== undefined && whole.nextOffset < next && next > compactedOffset) {
      throw new Corruption(`${whole.path} ends at offset ${whole.nextOffset}, the next segment begins at ${next}`)
    }
    whole.cutAt(end)
    segments.push(whole)
  }
  return { segments, logStartOffset, epochs, producers, compactedOffset, scannedBytes, cutBytes }
}

/** Bytes that a torn write left above `from`, as far as the next 64 KiB tell. */
function tornBytes(segment: Segment, from: number): number {
  return borrow(segment.read(from, 64 * 1024), (bytes) => bytes.findLastIndex((byte) => byte !== 0) + 1)
}

/** Whether a valid batch follows the one that is not: then it was not torn off by a crash, but damaged since. */
function continues(segment: Segment, from: number): boolean {
  const size = borrow(segment.read(from, batch.headerBytes), (bytes) =>
    bytes.length < batch.headerBytes ? 0 : batch.sizeInBytes(bytes, 0),
  )
  if (size < batch.headerBytes || from + size + batch.headerBytes > segment.length) return false
  const next = borrow(segment.read(from + size, batch.headerBytes), (bytes) =>
    bytes.length < batch.headerBytes || batch.magic(bytes, 0) !== 2 ? 0 : batch.sizeInBytes(bytes, 0),
  )
  if (next < batch.headerBytes || from + size + next > segment.length) return false
  return borrow(segment.read(from + size, next), (bytes) => bytes.length === next && batch.crcMatches(bytes, 0))
}
