// InitProducerId: a number by which an idempotent producer is known (KIP-98).

import { errors } from '../../protocol/errors.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { storageRefusal } from '../broker/partition.ts'
import { serve } from './api.ts'

const refused = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 })

export const initProducerIdApi = serve(initProducerId, [0, 5], async (request, { broker }) => {
  const { transactionalId, producerId, producerEpoch } = request
  // A real broker takes an id and an epoch to go on with together or not at all, and no empty name of a transaction.
  if ((producerId === -1) !== (producerEpoch === -1) || transactionalId === '')
    return refused(errors.INVALID_REQUEST.code)
  // There is no transaction coordinator yet; this is the answer that clients do not try again.
  if (transactionalId !== null) return refused(errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code)
  try {
    return { errorCode: 0, producerId: await broker.newProducerId(), producerEpoch: 0 }
  } catch (cause) {
    storageRefusal(cause)
    return refused(errors.COORDINATOR_NOT_AVAILABLE.code)
  }
})
