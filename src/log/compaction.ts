// Keeps the newest record of every key (`cleanup.policy=compact`). Sealed segments are read, and each is written anew
// without the records that have a newer one; the active segment is left alone, so the newest record of a log stays.
//
//   before   k1=a k2=b k1=c │ k2=null k3=d │ k1=e …          after   (hole) │ k2=null k3=d │ k1=e …
//
// A tombstone is kept for delete.retention.ms after the first compaction that meets it, so that a slow reader sees it;
// until when stands in the batch header (delete horizon, KIP-534).

import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecName } from '../../protocol/records/compression.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record.ts'
import { borrow, type Store } from '../storage/file.ts'
import type { LogConfig } from './log-config.ts'
import { OffsetIndex } from './offset-index.ts'
import type { CompactedFile, Segment } from './segment.ts'
import { TimeIndex } from './time-index.ts'

export type CompactionPlan = {
  /** In order; each is written anew. */
  segments: readonly Segment[]
  /** Offset behind the last of them. */
  end: number
}

type Place = { store: Store; folder: string; config: LogConfig; now: number }

/** Bytes that are worked on before others have their turn. */
const sliceBytes = 1024 * 1024
const otherTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const nameOf = (key: Buffer): string => key.toString('latin1')

/** What is worth compacting now; undefined if nothing is. `sealed`: flushed segments, the active one not among them. */
export function planCompaction(
  sealed: readonly Segment[],
  compactedOffset: number,
  config: LogConfig,
  now: number,
): CompactionPlan | undefined {
  const young = sealed.findIndex(({ maxTimestamp }) => now - maxTimestamp < config.minCompactionLagMs)
  const segments = young === -1 ? sealed : sealed.slice(0, young)
  const end = segments.at(-1)?.nextOffset ?? 0
  const dirty = segments.filter(({ baseOffset }) => baseOffset >= compactedOffset)
  if (dirty.length === 0) return undefined
  const bytesOf = (list: readonly Segment[]) => list.reduce((sum, { length }) => sum + length, 0)
  const overdue = dirty.some(({ maxTimestamp }) => now - maxTimestamp > config.maxCompactionLagMs)
  if (!overdue && bytesOf(dirty) < config.minCleanableDirtyRatio * bytesOf(segments)) return undefined
  return { segments, end }
}

/** Offset of the newest record of every key in the planned segments. */
async function newestOf({ segments }: CompactionPlan): Promise<Map<string, number>> {
  const newest = new Map<string, number>()
  for (const segment of segments) {
    await eachBatch(segment, (bytes, at) => {
      for (const { key, offset } of readRecords(bytes, at)) if (key !== null) newest.set(nameOf(key), offset)
    })
  }
  return newest
}

/** Calls `visit` for every batch, letting others work between slices. */
async function eachBatch(segment: Segment, visit: (bytes: Buffer, at: number) => void): Promise<void> {
  let position = 0
  while (position < segment.length) {
    const end = Math.min(position + sliceBytes, segment.length)
    while (position < end) {
      const { byteCount } = segment.batchAt(position)
      borrow(segment.read(position, byteCount), (bytes) => visit(bytes, 0))
      position += byteCount
    }
    await otherTurn()
  }
}

/** Writes each segment anew and yields it; what is yielded is flushed and not yet in place. Throws StorageError. */
export async function* compactSegments(
  plan: CompactionPlan,
  place: Place,
): AsyncGenerator<{ segment: Segment; compacted: CompactedFile }> {
  const newest = await newestOf(plan)
  for (const segment of plan.segments) yield { segment, compacted: await compactOne(segment, newest, place) }
}

async function compactOne(segment: Segment, newest: Map<string, number>, place: Place): Promise<CompactedFile> {
  const { store, config, now } = place
  const path = `${segment.path}.compacted`
  store.remove(path) // left by a kill
  const file = store.create(path, segment.length)
  const compacted: CompactedFile = {
    path,
    length: 0,
    offsets: new OffsetIndex(),
    times: new TimeIndex(),
    aborted: [...segment.aborted],
    maxTimestamp: -1,
    discard: () => store.remove(path),
  }
  let unindexedBytes = config.indexIntervalBytes
  await eachBatch(segment, (bytes, at) => {
    const kept = keep(bytes, at, newest, config, now)
    if (kept === undefined) return
    const relative = batch.baseOffset(kept, 0) - segment.baseOffset
    if (unindexedBytes >= config.indexIntervalBytes) {
      compacted.offsets.add(relative, file.length)
      if (compacted.maxTimestamp >= 0) compacted.times.add(compacted.maxTimestamp, relative - 1)
      unindexedBytes = 0
    }
    unindexedBytes += kept.length
    file.stage(kept)
    file.commit(kept.length)
    compacted.maxTimestamp = Math.max(compacted.maxTimestamp, batch.maxTimestamp(kept, 0))
  })
  await file.flush()
  compacted.length = file.length
  file.close()
  return compacted
}

/** What remains of a batch: itself, a smaller one at the same offsets, or nothing. */
function keep(
  bytes: Buffer,
  at: number,
  newest: Map<string, number>,
  config: LogConfig,
  now: number,
): Buffer | undefined {
  const whole = bytes.subarray(at, at + batch.sizeInBytes(bytes, at))
  if (batch.isControl(bytes, at)) return whole
  const horizon = batch.deleteHorizon(bytes, at)
  const expired = horizon !== undefined && now >= horizon
  const records: StoredRecord[] = []
  let count = 0
  let hasTombstone = false
  for (const record of readRecords(bytes, at)) {
    count++
    // Records without a key are from before the topic was compacted; they have no place in it.
    if (record.key === null || newest.get(nameOf(record.key)) !== record.offset) continue
    if (record.value === null && expired) continue
    if (record.value === null) hasTombstone = true
    records.push(record)
  }
  if (records.length === 0) return undefined
  const marks = hasTombstone && horizon === undefined
  if (records.length === count && !marks) return whole
  return encodeBatch({
    records,
    baseOffset: batch.baseOffset(bytes, at),
    lastOffset: batch.lastOffset(bytes, at),
    codec: codecName(batch.codec(bytes, at)),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, at),
    producerId: batch.producerId(bytes, at),
    producerEpoch: batch.producerEpoch(bytes, at),
    baseSequence: batch.baseSequence(bytes, at),
    isTransactional: batch.isTransactional(bytes, at),
    ...(batch.isLogAppendTime(bytes, at) ? { logAppendTime: batch.maxTimestamp(bytes, at) } : {}),
    ...(hasTombstone ? { deleteHorizon: horizon ?? now + config.deleteRetentionMs } : {}),
  })
}
