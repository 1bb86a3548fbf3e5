// Where a share partition and its log meet: records are read where something is free, and handed out.

import { Refusal } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { Partition, ReadResult } from '../broker/partition.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Acquired, Acquisition, LogBatch } from './acquisition.ts'
import { durationMs, type ShareSettings } from './settings.ts'
import type { SharePartition } from './share-partition.ts'

/** Looked at in one go: a store that copies would copy all that a member allows. */
const readBytesMax = 4 * 1024 * 1024

type Placed = LogBatch & { readonly position: number; readonly end: number }

/** Records of one partition for one member; `bytes` live until `release`. */
export type Portion = { readonly acquired: Acquired[]; readonly bytes: Buffer; release(): void }

/** What a share partition can give at the moment; undefined: nothing. */
export function take(
  share: SharePartition,
  partition: Partition,
  wish: Acquisition,
  bytesMax: number,
  { isCommitted }: ShareSettings,
): Portion | Refusal | undefined {
  for (;;) {
    const read = readNext(share, partition, bytesMax, isCommitted)
    if (read === undefined || read instanceof Refusal) return read
    const { lease } = read
    const before = share.nextOffset!
    const seen: Placed[] = []
    const acquired = share.acquire(batchesOf(read, seen), wish)
    if (acquired.length > 0) return portion(seen, acquired, read)
    lease.release()
    // Nothing there was for consumers: look behind it.
    const next = share.nextOffset
    if (next === undefined || next <= before) return undefined
  }
}

/** How many bytes are there to be taken. */
export function readableBytes(
  share: SharePartition,
  partition: Partition,
  bytesMax: number,
  { isCommitted }: ShareSettings,
): number {
  const read = readNext(share, partition, bytesMax, isCommitted)
  if (read === undefined || read instanceof Refusal) return 0
  read.lease.release()
  return read.lease.bytes.length
}

function readNext(
  share: SharePartition,
  partition: Partition,
  bytesMax: number,
  isCommitted: boolean,
): ReadResult | Refusal | undefined {
  try {
    share.bound(partition.logStartOffset, partition.logEndOffset)
  } catch (cause) {
    return storageRefusal(cause)
  }
  const offset = share.nextOffset
  if (offset === undefined) return undefined
  const read = partition.read(offset, Math.min(bytesMax, readBytesMax), isCommitted, true)
  if (read instanceof Refusal || read.lease.bytes.length > 0) return read
  read.lease.release()
  return undefined
}

/** One by one, and noted in `seen`: a member may want few of many. */
function* batchesOf(
  { lease: { bytes }, aborted = [] }: ReadResult,
  seen: Placed[],
): Generator<Placed, void, undefined> {
  for (const position of batch.iterateBatches(bytes)) {
    const first = batch.baseOffset(bytes, position)
    const last = batch.lastOffset(bytes, position)
    const isOf = batch.isTransactional(bytes, position) ? batch.producerId(bytes, position) : undefined
    const isAborted = aborted.some(
      ({ producerId, firstOffset, lastOffset }) => producerId === isOf && first >= firstOffset && last <= lastOffset,
    )
    const isHidden = isAborted || batch.isControl(bytes, position)
    const placed = { first, last, isHidden, position, end: position + batch.sizeInBytes(bytes, position) }
    seen.push(placed)
    yield placed
  }
}

/** Whole batches of the log, from the first that holds something acquired to the last. */
function portion(batches: readonly Placed[], acquired: Acquired[], { lease }: ReadResult): Portion {
  const { firstOffset } = acquired[0]!
  const { lastOffset } = acquired.at(-1)!
  const begin = batches.find(({ last }) => last >= firstOffset)!.position
  const end = batches.findLast(({ first }) => first <= lastOffset)!.end
  return { acquired, bytes: lease.bytes.subarray(begin, end), release: () => lease.release() }
}

/** Where a group that never read this partition begins. Throws StorageError, Corruption. */
export function resetOffset(partition: Partition, { reset, isCommitted }: ShareSettings, now: number): number {
  const end = isCommitted ? partition.lastStableOffset : partition.highWatermark
  if (reset === 'earliest') return partition.logStartOffset
  if (reset === 'latest') return end
  const since = now - durationMs(reset.slice('by_duration:'.length))
  return partition.offsetAt(since, end)?.offset ?? end
}
