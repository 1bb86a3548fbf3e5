// What is known of one transactional id, as a value that is replaced whole, and every way in which it may change.
// KIP-98 drew it; KIP-360 lets a producer ask for its next epoch; KIP-890 gives each transaction an epoch of its own.
//
//   Empty ─▶ Ongoing ─┬▶ PrepareCommit ─▶ CompleteCommit ─┐
//     ▲               └▶ PrepareAbort ──▶ CompleteAbort ──┤
//     └───────────────────────────────────────────────────┘ and from either Complete straight to Ongoing again

export const statuses = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const
/** By its number in the transaction log. */
export type Status = (typeof statuses)[number]

/** Partitions by topic, as the transaction log names them. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>

export type TransactionState = {
  readonly id: string
  readonly producerId: number
  /** The one before the last change: a client that did not hear of a new id may still name it. */
  readonly previousProducerId: number
  /** Chosen when the epochs of `producerId` ran out; takes its place when the transaction is complete. */
  readonly nextProducerId: number
  readonly producerEpoch: number
  /** The one before, while a client may repeat the request that ended it. Not in the log, as in Kafka's. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly status: Status
  readonly partitions: Partitions
  readonly startedAt: number
  readonly updatedAt: number
  /** 2: the client of the current transaction gets a new epoch with each one (KIP-890). */
  readonly clientVersion: number
}

export const none = -1
const epochMax = 0x7fff
export const noPartitions: Partitions = new Map()

export const isPrepared = ({ status }: TransactionState): boolean =>
  status === 'PrepareCommit' || status === 'PrepareAbort'
export const isComplete = ({ status }: TransactionState): boolean =>
  status === 'CompleteCommit' || status === 'CompleteAbort'

/** No epoch is left that a client might be given. The very last one is kept for fencing. */
export const isExhausted = (epoch: number): boolean => epoch >= epochMax - 1
/** The last that a client is ever given. */
export const isLast = (epoch: number): boolean => epoch === epochMax - 1

export const unborn = (id: string, producerId: number, timeoutMs: number, now: number): TransactionState => ({
  id,
  producerId,
  previousProducerId: none,
  nextProducerId: none,
  producerEpoch: none,
  lastProducerEpoch: none,
  timeoutMs,
  status: 'Empty',
  partitions: noPartitions,
  startedAt: none,
  updatedAt: now,
  clientVersion: 0,
})

/** A producer begins, or begins anew. */
export const initialised = (
  state: TransactionState,
  to: Pick<TransactionState, 'producerId' | 'producerEpoch' | 'lastProducerEpoch' | 'timeoutMs'>,
  now: number,
): TransactionState => ({
  ...state,
  ...to,
  previousProducerId: state.producerId,
  nextProducerId: none,
  status: 'Empty',
  partitions: noPartitions,
  startedAt: none,
  updatedAt: now,
})

export const holds = (held: Partitions, wanted: Partitions): boolean =>
  [...wanted].every(([topic, indexes]) => [...indexes].every((index) => held.get(topic)?.has(index) === true))

function union(held: Partitions, more: Partitions): Partitions {
  const all = new Map(held)
  for (const [topic, indexes] of more) all.set(topic, new Set([...(held.get(topic) ?? []), ...indexes]))
  return all
}

/** Partitions join; the first ones begin the transaction. */
export const joined = (
  state: TransactionState,
  partitions: Partitions,
  clientVersion: number,
  now: number,
): TransactionState => ({
  ...state,
  previousProducerId: state.producerId,
  status: 'Ongoing',
  partitions: union(state.partitions, partitions),
  startedAt: state.status === 'Ongoing' ? state.startedAt : now,
  updatedAt: now,
  clientVersion,
})

/**
 * The outcome is decided. With KIP-890 the markers carry the next epoch, so that whatever is still under way from the
 * transaction that ends can never fall into the next one.
 */
export const prepared = (
  state: TransactionState,
  to: { outcome: 'commit' | 'abort'; clientVersion: number; nextProducerId: number },
  now: number,
): TransactionState => ({
  ...state,
  previousProducerId: state.producerId,
  nextProducerId: to.nextProducerId,
  producerEpoch: to.clientVersion >= 2 ? state.producerEpoch + 1 : state.producerEpoch,
  lastProducerEpoch: to.clientVersion >= 2 ? state.producerEpoch : state.lastProducerEpoch,
  status: to.outcome === 'commit' ? 'PrepareCommit' : 'PrepareAbort',
  // An abort of nothing has no beginning of its own.
  startedAt: state.status === 'Ongoing' ? state.startedAt : now,
  updatedAt: now,
  clientVersion: to.clientVersion,
})

/**
 * A later producer, or time, takes the transaction from the one that has it open. From version 2 on any end brings the
 * next epoch; before it the epoch is raised for this alone, and is nobody's.
 */
export function fenced(
  state: TransactionState,
  version: number,
  nextProducerId: number,
  now: number,
): TransactionState {
  const to = { outcome: 'abort', clientVersion: version, nextProducerId } as const
  if (version >= 2) return prepared(state, to, now)
  return { ...prepared(state, to, now), producerEpoch: state.producerEpoch + 1, lastProducerEpoch: none }
}

/** Every marker is written. */
export function completed(state: TransactionState, now: number): TransactionState {
  const rotates = state.clientVersion >= 2 && state.nextProducerId !== none
  return {
    ...state,
    producerId: rotates ? state.nextProducerId : state.producerId,
    previousProducerId: state.producerId,
    nextProducerId: none,
    producerEpoch: rotates ? 0 : state.producerEpoch,
    status: state.status === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    partitions: noPartitions,
    updatedAt: now,
  }
}
