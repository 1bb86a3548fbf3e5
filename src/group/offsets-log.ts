// What groups ask of the place they are remembered in: the internal compacted topic `__consumer_offsets`.
// Only an interface: the room does not know partitions, segments or files.

export { partitionOfKey as offsetsPartition } from '../broker/placement.ts'

/** One record of the offsets topic. A null value is a tombstone. */
export type OffsetsRecord = { readonly key: Buffer; readonly value: Buffer | null }

export interface OffsetsLog {
  /** Resolves when the records are as durable as the broker promises; rejects with a StorageError. */
  append(partition: number, records: readonly OffsetsRecord[]): Promise<void>
  /** Shows every record that the partition still holds, oldest first. A partition that was never written shows none. */
  replay(
    partition: number,
    visit: (key: Buffer, value: Buffer | null, timestampMs: number) => void,
  ): Promise<void> | void
}
