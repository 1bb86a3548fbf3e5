// Keeps the newest record of every key (`cleanup.policy=compact`). Sealed segments are read, and written anew without the
// records that have a newer one; the active segment is left alone, so the newest record of a log stays.
//
//   before   k1=a k2=b k1=c │ k2=null k3=d │ k1=e …          after   (hole) │ k2=null k3=d │ k1=e …
//            ── clean ──────┼── dirty ─────┼─ not yet
//
// The keys of what is dirty are put into a map (key-offsets.ts), and everything from the log start on is held against it.
// If the map is full, what it has not seen stays dirty for the next round. A tombstone is kept for delete.retention.ms
// after the first compaction that meets it, so that a slow reader sees it; until when stands in the batch header (delete
// horizon, KIP-534). Neighbours that have become small are written into one file.

import * as batch from '../../protocol/records/batch.ts'
import { RecordCursor, type RecordHeader, walkRecords } from '../../protocol/records/record.ts'
import type { Store } from '../storage/file.ts'
import { type Keeping, recordsAtOnce, remainsOf } from './compaction-batch.ts'
import { KeyOffsets } from './key-offsets.ts'
import type { LogConfig } from './log-config.ts'
import { OffsetIndex } from './offset-index.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import type { ProducerState } from './producer-state.ts'
import { timeOf } from './retention.ts'
import type { RewrittenFile } from './rewriting.ts'
import type { Segment } from './segment.ts'
import { mustBeSound } from './soundness.ts'
import { TimeIndex } from './time-index.ts'
import { TransactionFates } from './transaction-fates.ts'
import { atEase, type Walk } from './walk.ts'

export type CompactionPlan = {
  /** In order; those up to where the map reaches are written anew. */
  segments: readonly Segment[]
  /** What lies below was compacted before. */
  cleanOffset: number
  /** Offset behind the last of them. */
  end: number
}

export type CompactionPlace = {
  store: Store
  config: LogConfig
  now: number
  producers: ProducerState
  /** Older records lie in front of the segments, where compaction does not go: what hides them must stay. */
  hidesOlder: boolean
  aborted: (from: number, upTo: number) => AbortedTransaction[]
  pins: Pins | undefined
  /** Records may have stayed that were pinned once. */
  isFork: boolean
  /** The log was let go, or the broker stops: nothing more is begun. */
  isOver: () => boolean
  turns: Turns
}

/** Records that stay though their key has a newer one, since others compare with them. */
export type Pins = {
  /** From here on none is. */
  readonly below: number
  /** Whether a record may be one: of each key the newest that may stays. */
  readonly counts: (offset: number, headers: () => readonly RecordHeader[]) => boolean
}

/** What a round of compaction takes from its surroundings. */
export type Turns = {
  /** 32 bytes of chance. */
  seed: Buffer
  /** Between slices others have their turn. */
  rest: () => Promise<void>
  isOver: () => boolean
}

export const steadyTurns: Turns = {
  seed: Buffer.alloc(32),
  rest: () => new Promise((resolve) => setImmediate(resolve)),
  isOver: () => false,
}

/** Bytes that are worked on in one go: about as long as a request takes. */
const sliceBytes = 128 * 1024
/** The largest difference of offsets within a file. */
const relativeOffsetMax = 0x7fff_ffff
const bytesOf = (segments: readonly Segment[]): number => segments.reduce((sum, { length }) => sum + length, 0)

/**
 * What is worth compacting now; undefined if nothing is. `sealed`: flushed segments, the active one not among them;
 * `stableOffset`: from here on transactions are not decided.
 */
export function planCompaction(
  sealed: readonly Segment[],
  cleanOffset: number,
  stableOffset: number,
  config: LogConfig,
  now: number,
): CompactionPlan | undefined {
  const { minCompactionLagMs: lagMs } = config
  // Without a lag a time that lies in the future keeps nobody waiting.
  const isYoung = (segment: Segment): boolean => lagMs > 0 && now - timeOf(segment.maxTimestamp, segment, now) < lagMs
  const isLater = (segment: Segment): boolean =>
    segment.nextOffset > stableOffset || (segment.nextOffset > cleanOffset && isYoung(segment))
  const later = sealed.findIndex(isLater)
  const segments = later === -1 ? sealed : sealed.slice(0, later)
  const dirty = segments.filter(({ nextOffset }) => nextOffset > cleanOffset)
  if (dirty.length === 0) return undefined
  // One may be empty: a round that was cut short has replaced it.
  const isOverdue = dirty.some(
    (segment) =>
      segment.length > 0 && now - timeOf(segment.batchAt(0).maxTimestamp, segment, now) > config.maxCompactionLagMs,
  )
  if (!isOverdue && bytesOf(dirty) < config.minCleanableDirtyRatio * bytesOf(segments)) return undefined
  return { segments, cleanOffset, end: segments.at(-1)!.nextOffset }
}

/** What is to stay, and up to where this round goes: what lies above was not mapped. */
export async function mapKeys(plan: CompactionPlan, place: CompactionPlace): Promise<Keeping> {
  const { segments, cleanOffset, end } = plan
  const { config, now, producers, hidesOlder } = place
  const newest = new KeyOffsets(
    end - Math.max(cleanOffset, segments[0]!.baseOffset),
    config.dedupeBufferBytes,
    place.turns.seed,
  )
  const dirty = segments.filter(({ nextOffset }) => nextOffset > cleanOffset)
  const fates = new TransactionFates(place.aborted(dirty[0]!.baseOffset, end))
  const cursor = new RecordCursor()
  let mappedEnd = end
  for (const segment of dirty) {
    if (mappedEnd < end || place.isOver()) break
    await eachBatch(segment, place, function* (bytes) {
      const base = batch.baseOffset(bytes, 0)
      if (mappedEnd < end) return
      if (batch.isControl(bytes, 0)) return void fates.endsNothing(bytes, 0)
      // Records that were taken back hide nothing.
      if (fates.isTakenBack(bytes, 0) || batch.nextOffset(bytes, 0) <= cleanOffset) return
      yield* walkKeys(bytes, cursor, (records, start, stop, delta) => {
        if (mappedEnd < end || base + delta < cleanOffset) return
        if (!newest.put(records, start, stop, base + delta)) mappedEnd = base + delta
      })
    })
  }
  // An index that is asked of a log that was let go would be opened once more.
  const all = new TransactionFates(place.isOver() ? [] : place.aborted(segments[0]!.baseOffset, end))
  const newestPinned = await mapPinned(plan, place)
  const { deleteRetentionMs } = config
  const mayHold = place.isFork && !hidesOlder
  const count = end - segments[0]!.baseOffset
  const staying = mayHold ? new KeyOffsets(count, config.dedupeBufferBytes, place.turns.seed) : undefined
  return { newest, mappedEnd, newestPinned, staying, fates: all, producers, hidesOlder, now, deleteRetentionMs }
}

/** Which record of each key has to stay although there is a newer one. */
async function mapPinned({ segments, end }: CompactionPlan, place: CompactionPlace): Promise<Keeping['newestPinned']> {
  const { pins, config } = place
  const first = segments[0]!.baseOffset
  if (pins === undefined || pins.below <= first) return () => -1
  const newest = new KeyOffsets(Math.min(pins.below, end) - first, config.dedupeBufferBytes, place.turns.seed)
  const fates = new TransactionFates(place.aborted(first, end))
  const cursor = new RecordCursor()
  let isFull = false
  for (const segment of segments) {
    if (segment.baseOffset >= pins.below || isFull) break
    await eachBatch(segment, place, function* (bytes) {
      const base = batch.baseOffset(bytes, 0)
      if (batch.isControl(bytes, 0)) return void fates.endsNothing(bytes, 0)
      if (fates.isTakenBack(bytes, 0)) return
      yield* walkKeys(bytes, cursor, (records, start, stop, delta) => {
        const offset = base + delta
        if (offset >= pins.below || !pins.counts(offset, () => cursor.headers())) return
        if (!newest.put(records, start, stop, offset)) isFull = true
      })
    })
  }
  // Without room to know better all of them stay.
  if (isFull) return (_records, _start, _stop, offset) => (offset < pins.below ? offset : -1)
  return (records, start, stop) => newest.get(records, start, stop)
}

function* walkKeys(
  bytes: Buffer,
  cursor: RecordCursor,
  visit: (records: Buffer, start: number, end: number, offsetDelta: number) => void,
): Walk {
  walkRecords(bytes, 0, undefined, cursor)
  while (cursor.next()) {
    const { keyLength, keyStart, offsetDelta } = cursor
    if (keyLength >= 0) visit(cursor.bytes, keyStart, keyStart + keyLength, offsetDelta)
    if (cursor.index % recordsAtOnce === recordsAtOnce - 1) yield
  }
}

/** Calls `visit` for every batch, alone in its bytes, letting others work in between. Ends early if the round is over. */
async function eachBatch(
  segment: Segment,
  { isOver, turns }: CompactionPlace,
  visit: (bytes: Buffer) => Walk,
): Promise<void> {
  for (let position = 0; position < segment.length && !isOver(); await turns.rest()) {
    const wanted = Math.max(sliceBytes, segment.batchAt(position).byteCount)
    const lease = segment.read(position, wanted)
    try {
      const { bytes } = lease
      let at = 0
      while (at + batch.headerBytes <= bytes.length && at + batch.sizeInBytes(bytes, at) <= bytes.length) {
        const size = batch.sizeInBytes(bytes, at)
        // Written anew it would have a checksum that fits.
        mustBeSound(bytes, at, segment.path)
        await atEase(visit(bytes.subarray(at, at + size)), turns.rest, isOver)
        if (isOver()) return
        at += size
      }
      position += at
    } finally {
      lease.release()
    }
  }
}

/**
 * Writes each group of segments anew and yields it; what is yielded is flushed and not yet in place. Throws StorageError.
 */
export async function* compactSegments(
  plan: CompactionPlan,
  keeping: Keeping,
  place: CompactionPlace,
): AsyncGenerator<{ segments: readonly Segment[]; compacted: RewrittenFile }> {
  const reached = plan.segments.filter(({ baseOffset }) => baseOffset < keeping.mappedEnd)
  for (const segments of grouped(reached, place.config.segmentBytes)) {
    const compacted = await compactGroup(segments, keeping, place)
    if (compacted !== undefined) yield { segments, compacted }
  }
}

/** Neighbours that fit into one file as they are. */
function grouped(segments: readonly Segment[], segmentBytes: number): Segment[][] {
  const groups: Segment[][] = []
  let byteCount = 0
  for (const segment of segments) {
    const group = groups.at(-1)
    const isNear = group !== undefined && segment.nextOffset - group[0]!.baseOffset <= relativeOffsetMax
    if (isNear && byteCount + segment.length <= segmentBytes) {
      group.push(segment)
      byteCount += segment.length
    } else {
      groups.push([segment])
      byteCount = segment.length
    }
  }
  return groups
}

/** Undefined where the round was over before it was written. */
async function compactGroup(
  segments: readonly Segment[],
  keeping: Keeping,
  place: CompactionPlace,
): Promise<RewrittenFile | undefined> {
  if (place.isOver()) return undefined
  const { store, config } = place
  const { path: target, baseOffset } = segments[0]!
  const path = `${target}.compacted`
  store.remove(path) // left by a kill
  const file = store.create(path, Math.max(1, bytesOf(segments)))
  const compacted: RewrittenFile = {
    path,
    length: 0,
    nextOffset: segments.at(-1)!.nextOffset,
    offsets: new OffsetIndex(),
    times: new TimeIndex(),
    aborted: [],
    maxTimestamp: -1,
    discard: () => store.remove(path),
  }
  let unindexedBytes = config.indexIntervalBytes
  let isWhole = false
  const write = (kept: Buffer) => {
    const relative = batch.baseOffset(kept, 0) - baseOffset
    if (unindexedBytes >= config.indexIntervalBytes) {
      compacted.offsets.add(relative, file.length)
      if (compacted.maxTimestamp >= 0) compacted.times.add(compacted.maxTimestamp, relative - 1)
      unindexedBytes = 0
    }
    unindexedBytes += kept.length
    file.stage(kept)
    file.commit(kept.length)
    compacted.maxTimestamp = Math.max(compacted.maxTimestamp, batch.maxTimestamp(kept, 0))
  }
  try {
    for (const segment of segments) {
      const aborted = new Map(segment.aborted.map((transaction) => [transaction.lastOffset, transaction]))
      await eachBatch(segment, place, function* (bytes) {
        const kept = yield* remainsOf(bytes, keeping)
        if (kept === undefined) return
        write(kept)
        // Told of until the round after its last record went; longer than its marker stands would hide all that follows.
        const taken = batch.isControl(kept, 0) ? aborted.get(batch.baseOffset(kept, 0)) : undefined
        if (taken !== undefined && !batch.hasDeleteHorizon(kept, 0) && batch.recordCount(kept, 0) > 0) {
          compacted.aborted.push(taken)
        }
      })
    }
    if (!place.isOver()) await file.flush()
    isWhole = !place.isOver()
  } finally {
    compacted.length = file.length
    file.close()
    // On a disk that is full it would take the last of the room.
    if (!isWhole) compacted.discard()
  }
  return isWhole ? compacted : undefined
}
