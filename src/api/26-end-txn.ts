// EndTxn: commit or abort. From v5 on the answer brings the epoch of the next transaction (KIP-890).

import { errors } from '../../protocol/errors.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { serve } from './api.ts'
import { transactionElsewhere } from './coordinator.ts'
import { fencedAsOf } from './fenced.ts'

/** KIP-890. */
const bumpsFrom = 5

export const endTxnApi = serve(endTxn, [0, 5], async (request, context) => {
  const { transactions, version } = context
  const { transactionalId: id, producerId, producerEpoch, committed } = request
  const outcome = committed ? 'commit' : 'abort'
  const clientVersion = version >= bumpsFrom ? 2 : 0
  const answer =
    transactionElsewhere(id, context) ??
    (await transactions.end({ id, producerId, producerEpoch, outcome, clientVersion }))
  if (typeof answer !== 'string') return { errorCode: 0, ...answer }
  return { errorCode: errors[fencedAsOf(version, 2, answer)].code, producerId: -1, producerEpoch: -1 }
})
