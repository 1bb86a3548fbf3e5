// ListTransactions: the transactional ids that this broker coordinates, filtered (KIP-664, KIP-994, KIP-1152).

import { errors, Refusal } from '../../protocol/errors.ts'
import { listTransactions } from '../../protocol/messages/66-list-transactions.ts'
import type { Request } from '../../protocol/schema.ts'
import { RegularExpression } from '../group/regular-expression.ts'
import type { TransactionState } from '../transaction/state.ts'
import { statuses } from '../transaction/state.ts'
import { serve } from './api.ts'

type Filters = Request<typeof listTransactions>

const known: ReadonlySet<string> = new Set(statuses)

export const listTransactionsApi = serve(listTransactions, [0, 2], (request, { broker, transactions, node }) => {
  const { loading, states } = transactions.list()
  const nothing = { unknownStateFilters: [], transactionStates: [] }
  if (loading) return { errorCode: errors.COORDINATOR_LOAD_IN_PROGRESS.code, ...nothing }
  // KIP-1152. Kafka uses RE2 here too; no pattern and an empty one mean everything.
  const pattern = RegularExpression.parse(request.transactionalIdPattern || '(?s).*')
  if (pattern instanceof Refusal) return { errorCode: pattern.code, ...nothing }
  const now = broker.clock.now()
  return {
    errorCode: 0,
    unknownStateFilters: [...new Set(request.stateFilters)].filter((name) => !known.has(name)),
    transactionStates: states
      .filter((state) => passes(state, request, now) && pattern.matches(state.id))
      .filter(({ id }) => broker.coordinates('transaction', id, node))
      .map(({ id, producerId, status }) => ({ transactionalId: id, producerId, transactionState: status })),
  }
})

function passes(state: TransactionState, { stateFilters, producerIdFilters, durationFilter }: Filters, now: number) {
  if (stateFilters.length > 0 && !stateFilters.includes(state.status)) return false
  if (producerIdFilters.length > 0 && !producerIdFilters.includes(state.producerId)) return false
  return durationFilter < 0 || now - state.startedAt > durationFilter
}
