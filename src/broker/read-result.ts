// What a reader of a partition is given: bytes that are lent, and how far there is something to read.

import type { AbortedTransaction } from '../log/open-transactions.ts'
import type { Lease } from '../storage/file.ts'

export type ReadResult = {
  lease: Lease
  logStartOffset: number
  highWatermark: number
  lastStableOffset: number
  /** What of it was taken back; undefined where the reader does not ask. */
  aborted: AbortedTransaction[] | undefined
}
