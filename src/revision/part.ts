// A stretch of a partition's revisions that is known as a whole: of files that are not packed (scanned-part.ts), or of one
// pack (packed-part.ts). Offsets in, entries out; an entry is the number of a revision in its part.

import type { RevisionFormat } from './revision.ts'

/** No entry. */
export const none = -1

/** What a packer is told of revisions, as offsets rise. */
export type Numbered = { offsets: Float64Array; revs: Float64Array; sizes: Float64Array; count: number }

export interface Part {
  /** Records of `[baseOffset, nextOffset)` are known. */
  readonly baseOffset: number
  readonly nextOffset: number
  /** It was made of more than counts: a fork shows only the first of it. */
  readonly isCut: boolean
  /** The most revisions that a key may have had in front of the cut, gone ones among them; 0 where nobody can tell. */
  countAtCut(hash: number, key: Uint8Array): number
  /** The newest entry of a key, of those below an offset. */
  newest(hash: number, key: Uint8Array, below: number): number
  /** The entry before of the same key, in this part. */
  previous(entry: number): number
  /** The entry at an offset. */
  entryAt(offset: number): number
  /** The entry with the smallest offset from one on. */
  entryFrom(offset: number): number
  /**
   * Notes the entries of `[from, to)` behind those that `into` has, as many as there is room for and as take no time to speak of;
   * answers from where it is to go on, `to` or beyond where there are no more.
   */
  number(from: number, to: number, into: Numbered): number
  /** Whether the key has no newer one in this part. */
  isNewest(entry: number): boolean
  /** The newest entry of each key below an offset, in any order. */
  newestBelow(offset: number): Iterable<number>
  /** Offsets, rising, of values that may have a scalar of this hash at a place; undefined where nobody has noted it. */
  withScalar(pointer: string, hash: number): Float64Array | undefined
  /** The entry with the largest offset. */
  last(): number
  offsetOf(entry: number): number
  revOf(entry: number): number
  timestampOf(entry: number): number
  /** Bytes of the whole value. */
  sizeOf(entry: number): number
  /** Bytes that are stored of it. */
  storedOf(entry: number): number
  formatOf(entry: number): RevisionFormat
  keyOf(entry: number): Uint8Array
  hashOf(entry: number): number
}

/** Index of the last part that begins at or below an offset; -1 where none does. */
export function partIndexOf(parts: readonly Part[], offset: number): number {
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (parts[middle]!.baseOffset <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}
