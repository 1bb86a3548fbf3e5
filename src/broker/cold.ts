// Records that are not in memory any more: who waits for the disk makes everybody wait.

import { Corruption, StorageError } from '../../protocol/errors.ts'
import { bringFrom } from '../log/log-reading.ts'
import type { Partition } from './partition.ts'

/**
 * Has what will be read of a partition brought into memory; undefined where it is there, as far as anybody can tell. What is wrong with the
 * offset, or with the partition, its reading tells.
 */
export function bring(partition: Partition, offset: number, byteCount: number): Promise<void> | undefined {
  if (!partition.isOpen || partition.offline !== undefined) return undefined
  try {
    return bringFrom(partition.log.segments, offset, byteCount)
  } catch (cause) {
    if (cause instanceof StorageError || cause instanceof Corruption) return undefined
    throw cause
  }
}
