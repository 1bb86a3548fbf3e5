// What a client is told when the log would not take a record.

import type { ErrorName } from '../../protocol/errors.ts'
import { Corruption, StorageError } from '../../protocol/errors.ts'

/** Retriable, and the client looks for its coordinator anew. Anything but a disk's refusal is our mistake: thrown on. */
export function refusalOf(error: unknown): ErrorName {
  if (error instanceof StorageError || error instanceof Corruption) return 'COORDINATOR_NOT_AVAILABLE'
  throw error
}
