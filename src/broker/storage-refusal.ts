// What a client is told where the disk, or what lies on it, is in the way.

import { Corruption, DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { BatchRefusal } from '../log/log.ts'

/** The answer for an error of the disk or of bytes on it; anything else is our own mistake and passes on. */
export function storageRefusal(cause: unknown): BatchRefusal {
  // Of one place alone: the partition serves everything else.
  if (cause instanceof DamagedRecords) return new BatchRefusal('CORRUPT_MESSAGE', cause.message)
  if (!(cause instanceof StorageError || cause instanceof Corruption)) throw cause
  return new BatchRefusal('KAFKA_STORAGE_ERROR', cause.message)
}
