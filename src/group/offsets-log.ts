// What groups ask of the place they are remembered in: the internal compacted topic `__consumer_offsets`.
// Only an interface: the room does not know partitions, segments or files.

import type { Refusal } from '../../protocol/errors.ts'

export { partitionOfKey as offsetsPartition } from '../broker/placement.ts'

/** One record of the offsets topic. A null value is a tombstone. */
export type OffsetsRecord = { readonly key: Buffer; readonly value: Buffer | null }

/** For whom records are appended that count only once its transaction is committed. */
export type TransactionalProducer = { readonly producerId: number; readonly producerEpoch: number }

/** Ends a transaction in a partition. */
export type TransactionMarker = TransactionalProducer & {
  readonly type: 'COMMIT' | 'ABORT'
  readonly coordinatorEpoch: number
  readonly transactionVersion: number
}

/** What a replay meets, oldest first. */
export type ReplayVisitor = (
  key: Buffer,
  value: Buffer | null,
  timestampMs: number,
  /** Whose transaction it is part of; undefined: of none. */
  producerId: number | undefined,
) => void

export interface OffsetsLog {
  /** Resolves when the records are as durable as the broker promises; rejects with a StorageError. */
  append(partition: number, records: readonly OffsetsRecord[], producer?: TransactionalProducer): Promise<void>
  /** Ends a transaction; answers why a marker cannot be written now, or not any more. */
  appendMarker(partition: number, marker: TransactionMarker): Promise<Refusal | undefined>
  /** Shows every record that the partition still holds, oldest first. A partition that was never written shows none. */
  replay(
    partition: number,
    visit: ReplayVisitor,
    /** A transaction has ended. */
    settled?: (producerId: number, outcome: 'commit' | 'abort') => void,
  ): Promise<void> | void
}
