// What a request does to a transactional id, or why it may not: decisions only, nothing is changed here.
// The order of the checks is Kafka's, for a client is told the first thing that is wrong (seen in 4.4.0).

import type { ErrorName } from '../../protocol/errors.ts'
import {
  holds,
  initialised,
  isComplete,
  isExhausted,
  isLast,
  isPrepared,
  joined,
  none,
  type Partitions,
  type TransactionState,
} from './state.ts'

/** Who a producer says it is. */
export type Claim = { readonly id: string; readonly producerId: number; readonly producerEpoch: number }

export type InitRequest = {
  readonly id: string
  readonly timeoutMs: number
  /** KIP-360: what a producer had, which asks for its next epoch. */
  readonly had: { readonly producerId: number; readonly producerEpoch: number } | undefined
}

export type EndRequest = Claim & {
  readonly outcome: 'commit' | 'abort'
  /** Of the client: from 2 on each transaction has an epoch of its own. */
  readonly clientVersion: number
}

// --- InitProducerId

/** `fence`: a transaction is open and has to be aborted first; `rotate`: the epochs ran out, a new id is needed. */
export type InitVerdict = ErrorName | 'fence' | 'rotate' | TransactionState

export function init(state: TransactionState, { had, timeoutMs }: InitRequest, now: number): InitVerdict {
  if (had !== undefined && !mayHaveHad(state, had)) return 'PRODUCER_FENCED'
  if (isPrepared(state)) return 'CONCURRENT_TRANSACTIONS'
  if (state.status === 'Ongoing') return 'fence'
  const { producerId, producerEpoch, lastProducerEpoch } = state
  if (isExhausted(producerEpoch) && (had === undefined || had.producerEpoch === producerEpoch)) return 'rotate'
  const next = { producerId, producerEpoch: producerEpoch + 1, lastProducerEpoch: none, timeoutMs }
  if (had === undefined) return initialised(state, next, now)
  if (producerEpoch === none || had.producerEpoch === producerEpoch)
    return initialised(state, { ...next, lastProducerEpoch: producerEpoch }, now)
  // The answer that told it the present epoch got lost.
  if (had.producerEpoch === lastProducerEpoch)
    return initialised(state, { producerId, producerEpoch, lastProducerEpoch, timeoutMs }, now)
  return 'PRODUCER_FENCED'
}

function mayHaveHad(state: TransactionState, had: NonNullable<InitRequest['had']>): boolean {
  if (state.producerEpoch === none || had.producerId === state.producerId) return true
  return had.producerId === state.previousProducerId && isExhausted(had.producerEpoch)
}

// --- AddPartitionsToTxn, AddOffsetsToTxn, and Produce that brings a partition along

export function add(
  state: TransactionState,
  claim: Claim,
  partitions: Partitions,
  clientVersion: number,
  now: number,
): ErrorName | TransactionState {
  const refusal = refuseClaim(state, claim)
  if (refusal !== undefined) return refusal
  if (state.status === 'Ongoing' && holds(state.partitions, partitions)) return 'NONE'
  return joined(state, partitions, clientVersion, now)
}

/** KIP-890: whether a batch of a producer may go into a partition. */
export function verify(state: TransactionState, claim: Claim, topic: string, index: number): ErrorName {
  return (
    refuseClaim(state, claim) ?? (state.partitions.get(topic)?.has(index) === true ? 'NONE' : 'TRANSACTION_ABORTABLE')
  )
}

function refuseClaim(state: TransactionState, { producerId, producerEpoch }: Claim): ErrorName | undefined {
  if (state.producerId !== producerId) return 'INVALID_PRODUCER_ID_MAPPING'
  if (state.producerEpoch !== producerEpoch) return 'PRODUCER_FENCED'
  return isPrepared(state) ? 'CONCURRENT_TRANSACTIONS' : undefined
}

// --- EndTxn

/** NONE: it was done before, and the answer got lost. `end`: the outcome may be decided now. */
export type EndVerdict = ErrorName | 'end'

export function end(state: TransactionState, request: EndRequest): EndVerdict {
  return request.clientVersion >= 2 ? endWithEpochs(state, request) : endOfOneEpoch(state, request)
}

const decidedAs = (state: TransactionState): EndRequest['outcome'] | undefined =>
  isComplete(state) || isPrepared(state) ? (state.status.endsWith('Commit') ? 'commit' : 'abort') : undefined

/** As it was before KIP-890: the epoch stays, so the same request may come again. */
function endOfOneEpoch(state: TransactionState, request: EndRequest): EndVerdict {
  if (state.producerId !== request.producerId) return 'INVALID_PRODUCER_ID_MAPPING'
  if (state.producerEpoch !== request.producerEpoch) return 'PRODUCER_FENCED'
  if (state.status === 'Ongoing') return 'end'
  if (decidedAs(state) !== request.outcome) return 'INVALID_TXN_STATE'
  return isPrepared(state) ? 'CONCURRENT_TRANSACTIONS' : 'NONE'
}

/** The epoch tells a repeated request from the next one; the next one may abort a transaction of nothing. */
function endWithEpochs(state: TransactionState, request: EndRequest): EndVerdict {
  const { producerId, producerEpoch, outcome } = request
  const repeatsOldId = state.previousProducerId === producerId && isLast(producerEpoch) && state.producerEpoch === 0
  if (state.producerId !== producerId && !repeatsOldId) return 'INVALID_PRODUCER_ID_MAPPING'
  const repeats = isComplete(state) && (repeatsOldId || state.producerEpoch === producerEpoch + 1)
  if (!repeats && state.producerEpoch !== producerEpoch) return 'PRODUCER_FENCED'
  if (state.status === 'Ongoing') return 'end'
  if (repeats) return decidedAs(state) === outcome ? 'NONE' : 'INVALID_TXN_STATE'
  if (isPrepared(state)) return decidedAs(state) === outcome ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE'
  return outcome === 'abort' ? 'end' : 'INVALID_TXN_STATE'
}
