// DescribeTransactions: what a transactional id is doing (KIP-664).

import { errors } from '../../protocol/errors.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { type Context, serve } from './api.ts'
import { transactionElsewhere } from './coordinator.ts'

export const describeTransactionsApi = serve(describeTransactions, [0, 0], ({ transactionalIds }, context) => ({
  transactionStates: transactionalIds.map((id) => describe(id, context)),
}))

function describe(transactionalId: string, context: Context) {
  const state = transactionElsewhere(transactionalId, context) ?? context.transactions.describe(transactionalId)
  if (typeof state === 'string') return refusedState(transactionalId, errors[state].code)
  return {
    errorCode: 0,
    transactionalId,
    transactionState: state.status,
    transactionTimeoutMs: state.timeoutMs,
    transactionStartTimeMs: state.startedAt,
    producerId: state.producerId,
    producerEpoch: state.producerEpoch,
    topics: [...state.partitions].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  }
}

export const refusedState = (transactionalId: string, errorCode: number) => ({
  errorCode,
  transactionalId,
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0,
  producerId: 0,
  producerEpoch: 0,
  topics: [],
})
