// Reads across the segments of a log: what is there from an offset on, and which of it was taken back.

import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { borrow, type Lease } from '../storage/file.ts'
import { inCodec } from './encoded-like.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import type { Found, Segment } from './segment.ts'
import { segmentIndexOf } from './segment-search.ts'
import { soundPart } from './soundness.ts'

/** Others wait while it is put into a codec: gzip takes some ms for it. */
const encodedBytesMax = 256 * 1024

const nothing: Lease = { bytes: Buffer.alloc(0), release: () => {} }

/** For whom a read is: the broker itself, which acts on it, or somebody who knows checksums too and is given packed records in a codec. */
export type Reader = { readonly isOurselves: true } | { readonly packedCodec: number }

/**
 * Batches from the one that holds `offset` on, in one piece: at most `bytesMax`, except that the first batch comes whole
 * where `wholeFirst` asks for it. Nothing at or above `bound` is shown. `mayMiss`: offsets that there need not be. Throws
 * DamagedRecords.
 */
export function readSegments(
  segments: readonly Segment[],
  offset: number,
  bytesMax: number,
  bound: number,
  wholeFirst: boolean,
  mayMiss: (offset: number) => boolean,
  reader: Reader,
): Lease {
  if (offset >= bound) return nothing
  let at = segmentIndexOf(segments, offset)
  let found: Found | undefined
  for (; at < segments.length && found === undefined; at++) found = segments[at]!.find(offset)
  // Nothing and no word about it would leave whoever asks asking for ever.
  if ((found === undefined || found.baseOffset > offset) && !mayMiss(offset)) {
    const place = segments[segmentIndexOf(segments, offset)]?.path
    throw new DamagedRecords(`${place}: there is no batch with offset ${offset}`)
  }
  if (found === undefined || found.baseOffset >= bound) return nothing
  const segment = segments[at - 1]!
  if (found.byteCount > bytesMax && !wholeFirst) return nothing
  const end = bound >= segment.nextOffset ? segment.length : (segment.find(bound)?.position ?? segment.length)
  const isToBeEncoded = 'packedCodec' in reader && reader.packedCodec !== 0 && segment.isPacked
  const most = isToBeEncoded ? Math.min(bytesMax, encodedBytesMax) : bytesMax
  const byteCount = Math.min(end - found.position, Math.max(most, found.byteCount))
  const lease = segment.read(found.position, byteCount)
  // What lies packed was held against its checksums when it was rebuilt.
  if ('isOurselves' in reader) return segment.isPacked ? lease : soundPart(lease, segment.path, mayMiss)
  if (!isToBeEncoded || lease.bytes.length < found.byteCount) return lease
  return { bytes: borrow(lease, (bytes) => inCodec(bytes, reader.packedCodec)), release: () => {} }
}

/** As `File.bring`, for the batches from an offset on. */
export function bringFrom(segments: readonly Segment[], offset: number, byteCount: number): Promise<void> | undefined {
  const segment = segments[segmentIndexOf(segments, offset)]
  if (segment === undefined || offset < segment.baseOffset || offset >= segment.nextOffset) return undefined
  return segment.bring(offset, byteCount)
}

/** Transactions taken back that have records in `[from, upTo)` or a marker behind them, in the order of their markers. */
export function abortedIn(segments: readonly Segment[], from: number, upTo: number): AbortedTransaction[] {
  const found: AbortedTransaction[] = []
  if (from >= upTo) return found
  for (let at = segmentIndexOf(segments, from); at < segments.length; at++) {
    for (const aborted of segments[at]!.aborted) {
      if (aborted.lastOffset >= from && aborted.firstOffset < upTo) found.push(aborted)
      // All that began before `upTo` was decided by then.
      if (aborted.lastStableOffset >= upTo) return found
    }
  }
  return found
}

/** Those of `transactions` that touch batches of `bytes`, which were read from an offset on; the last of them may be cut. */
export function abortedAmong(transactions: AbortedTransaction[], bytes: Buffer, from: number): AbortedTransaction[] {
  if (transactions.length === 0) return transactions
  let end = from
  for (let at = 0; at + batch.headerBytes <= bytes.length; ) {
    const size = batch.sizeInBytes(bytes, at)
    // Damaged: whoever reads finds it out, but we must not go in circles.
    if (size < batch.headerBytes) break
    end = batch.nextOffset(bytes, at)
    at += size
  }
  return transactions.filter(({ firstOffset }) => firstOffset < end)
}
