// Bytes that the broker is about to act on are held against their checksums first: what a start vouches for it has not looked at, and
// a bit may have been turned over since. Bytes that only pass through to clients are theirs to check, as with Kafka.

import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { Lease } from '../storage/file.ts'

/** Throws where the batch at `position` of `bytes` is not what was written. `path`: for what it says. */
export function mustBeSound(bytes: Buffer, position: number, path: string): void {
  if (batch.crcMatches(bytes, position)) return
  throw new DamagedRecords(`${path}: the batch at offset ${batch.baseOffset(bytes, position)} fails its checksum`)
}

/**
 * What of a read can be believed: it ends in front of the first batch that is damaged or stands elsewhere (no checksum covers its base
 * offset), and throws where that is its first. `mayMiss`: offsets that there need not be.
 */
export function soundPart(lease: Lease, path: string, mayMiss: (offset: number) => boolean): Lease {
  const { bytes } = lease
  let expected = -1
  for (let at = 0, size = 0; ; at += size) {
    size = batch.sizeAt(bytes, at, bytes.length)
    if (size === 0) return lease
    if (size > 0 && isInPlace(batch.baseOffset(bytes, at), expected, mayMiss) && batch.crcMatches(bytes, at)) {
      expected = batch.nextOffset(bytes, at)
      continue
    }
    // Whoever reads on from there is told.
    if (at > 0) return { bytes: bytes.subarray(0, at), release: lease.release.bind(lease) }
    lease.release()
    if (size > 0) mustBeSound(bytes, at, path)
    throw new DamagedRecords(`${path}: there is no batch where one should be`)
  }
}

const isInPlace = (base: number, expected: number, mayMiss: (offset: number) => boolean): boolean =>
  expected < 0 || base === expected || (base > expected && mayMiss(expected))
