// KIP-588: how a producer is told that another one has taken over, in words that its version knows.

import type { ErrorName } from '../../protocol/errors.ts'

/** `since`: the first version of the API that has PRODUCER_FENCED. */
export const fencedAsOf = (version: number, since: number, error: ErrorName): ErrorName =>
  error === 'PRODUCER_FENCED' && version < since ? 'INVALID_PRODUCER_EPOCH' : error
