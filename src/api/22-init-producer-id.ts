// InitProducerId: a number by which an idempotent producer is known, and the epoch of a transactional one (KIP-98, KIP-360).

import { errors } from '../../protocol/errors.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import type { Request } from '../../protocol/schema.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Answer } from '../transaction/coordinator.ts'
import { type Context, serve } from './api.ts'
import { transactionElsewhere } from './coordinator.ts'
import { fencedAsOf } from './fenced.ts'

type Asked = Request<typeof initProducerId>

// Version 6, two-phase commit (KIP-939), is not stable in Kafka 4.4 and not offered.
export const initProducerIdApi = serve(initProducerId, [0, 5], async (request, context) => {
  const answer = await answerTo(request, context)
  if (typeof answer !== 'string') return { errorCode: 0, ...answer }
  return { errorCode: errors[fencedAsOf(context.version, 4, answer)].code, producerId: -1, producerEpoch: -1 }
})

async function answerTo(request: Asked, context: Context): Promise<Answer> {
  const { broker, transactions } = context
  const { transactionalId: id, producerId, producerEpoch, transactionTimeoutMs: timeoutMs } = request
  // A real broker takes an id and an epoch to go on with together or not at all.
  if ((producerId === -1) !== (producerEpoch === -1)) return 'INVALID_REQUEST'
  const had = producerId === -1 ? undefined : { producerId, producerEpoch }
  const wrong = id === null ? undefined : transactionElsewhere(id, context)
  if (wrong !== undefined) return wrong
  if (id !== null) return transactions.init({ id, timeoutMs, had })
  try {
    return { producerId: await broker.newProducerId(), producerEpoch: 0 }
  } catch (cause) {
    storageRefusal(cause)
    return 'COORDINATOR_NOT_AVAILABLE'
  }
}
