// What a log that began as a part of another one (a fork) must know of that part: its files are shared, and go on growing
// or are cut under their other name. Kept by whoever made the fork, with the fork itself, and given in at every start.

import type { EpochEntry } from './leader-epochs.ts'

/** A transaction that was open at the fork offset: one of the first own batches is its marker. */
export type CutTransaction = {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly firstOffset: number
}

export type Inherited = {
  /** The first offset that is this log's own. */
  readonly offset: number
  readonly logStartOffset: number
  /** Of the part below the offset, and the own one that begins there. */
  readonly epochs: readonly EpochEntry[]
  readonly compactedOffset: number
  /** Below it everything was on stable storage when the fork was made. */
  readonly flushedOffset: number
  /** The shared files by their base offsets, and how many bytes of each belong to this log. */
  readonly files: readonly (readonly [segment: number, byteCount: number])[]
  /** Where among the shared files those of one log end and those of a fork of it begin, ascending. */
  readonly seams: readonly number[]
  /** Base offset of the first own file: the fork offset, or where a batch begins that the fork cut in two. */
  readonly ownFrom: number
  readonly open: readonly CutTransaction[]
  /** Whether there may be transactions in the shared part at all. */
  readonly hasTransactions: boolean
  /** Which life of the machine it was made in: a later one may have lost what lies between `flushedOffset` and `ownFrom`. */
  readonly boot: string
}

/**
 * What the names of a fork's shared files begin with. They lie beside the folder of its own files, which is made with the
 * first of them: a fork of many partitions makes one folder.
 */
export const sharedPrefix = (folder: string): string => `${folder}.`
export const ownPrefix = (folder: string): string => `${folder}/`

/** Where a shared file ends, at the latest: there begins what the log it is of had of its own, or the next one. */
export const endOfShared = ({ seams, ownFrom }: Inherited, base: number): number =>
  seams.find((seam) => seam > base) ?? ownFrom

/** Whether a shared file is scanned whenever somebody opens it: in less time than it takes to make an index file for it. */
export const needsNoIndex = (byteCount: number, hasTransactions: boolean): boolean =>
  byteCount <= 256 * 1024 && !hasTransactions

/** Records that a power cut took from a log that shares them: `[from, to)` is a hole. */
export type Lost = { readonly from: number; readonly to: number }

/** Behind the last of the holes, which ascend; 0 where there is none. */
export const lostUpTo = (lost: readonly Lost[]): number => lost.at(-1)?.to ?? 0
