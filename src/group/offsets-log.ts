// What groups ask of the place they are remembered in: the internal compacted topic `__consumer_offsets`.
// Only an interface: the room does not know partitions, segments or files.

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

/** Java's String.hashCode, over UTF-16 code units. */
function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (31 * hash + text.charCodeAt(i)) | 0
  return hash
}

/**
 * The partition of the offsets topic that remembers a group. The real broker takes the absolute value of the hash
 * (seen in 4.3.1: 'sfghij', hash -905244011, lies in partition 11 of 50), not its lower 31 bits; tools that look for a
 * group compute the same. Integer.MIN_VALUE has no absolute value and counts as 0.
 */
export function offsetsPartition(groupId: string, partitionCount: number): number {
  const hash = javaHash(groupId)
  return hash === -0x8000_0000 ? 0 : Math.abs(hash) % partitionCount
}
