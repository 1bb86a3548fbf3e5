// A batch as the search for an offset or a time meets it: where it lies and what its header says.

import * as batch from '../../protocol/records/batch.ts'

export type Found = {
  position: number
  byteCount: number
  baseOffset: number
  nextOffset: number
  maxTimestamp: number
}

/** The batch whose header `bytes` holds, found at `position`; undefined where there is none that ends by `end`. */
export function foundIn(bytes: Buffer, position: number, end: number): Found | undefined {
  const size = bytes.length < batch.headerBytes ? -1 : batch.sizeInBytes(bytes, 0)
  if (size < batch.headerBytes || position + size > end || batch.magic(bytes, 0) !== 2) return undefined
  return {
    position,
    byteCount: size,
    baseOffset: batch.baseOffset(bytes, 0),
    nextOffset: batch.nextOffset(bytes, 0),
    maxTimestamp: batch.maxTimestamp(bytes, 0),
  }
}
