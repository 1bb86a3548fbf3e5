// AddOffsetsToTxn: a producer says whose offsets its transaction will commit; their partition joins the transaction.

import { errors } from '../../protocol/errors.ts'
import { addOffsetsToTxn } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { serve } from './api.ts'
import { transactionElsewhere } from './coordinator.ts'
import { fencedAsOf } from './fenced.ts'

export const addOffsetsToTxnApi = serve(addOffsetsToTxn, [0, 4], async (request, context) => {
  const { groups, transactions, version } = context
  const { transactionalId: id, producerId, producerEpoch, groupId } = request
  const partition = groups.transactions.placeOf(groupId)
  const error =
    transactionElsewhere(id, context) ?? (await transactions.add({ id, producerId, producerEpoch }, [partition], 0))
  return { errorCode: errors[fencedAsOf(version, 2, error)].code }
})
