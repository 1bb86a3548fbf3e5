// TxnOffsetCommit: how far a group has read, as part of a transaction (KIP-98); the consumer's generation fences it
// (KIP-447), and from v5 on it brings the group's partition into the transaction by itself (KIP-890).

import type { ErrorName } from '../../protocol/errors.ts'
import { txnOffsetCommit } from '../../protocol/messages/28-txn-offset-commit.ts'
import type { Request } from '../../protocol/schema.ts'
import type { Commit } from '../group/offset-requests.ts'
import type { TopicPartition } from '../group/offsets.ts'
import { type Context, serve } from './api.ts'
import { commitTopics } from './committed-topics.ts'
import { elsewhere } from './coordinator.ts'

type Asked = Request<typeof txnOffsetCommit>
type Producer = { readonly producerId: number; readonly producerEpoch: number }

/** Brings its partition along. */
const implicitFrom = 5
/** Its client knows TRANSACTION_ABORTABLE. */
const abortableFrom = 4
/** Topics by id. */
const byIdFrom = 6

export const txnOffsetCommitApi = serve(txnOffsetCommit, [0, 6], async (request, context) => {
  const topics = await commitTopics(request.topics, context.version >= byIdFrom, context, async (commits) =>
    commits.length === 0 ? [] : commit(request, commits, context),
  )
  return { topics }
})

async function commit(request: Asked, commits: readonly Commit[], context: Context): Promise<readonly ErrorName[]> {
  const { transactions, groups, version } = context
  const { transactionalId: id, producerId, producerEpoch, groupId } = request
  if (groupId === '') return commits.map(() => 'INVALID_GROUP_ID')
  const wrong = elsewhere('group', groupId, context)
  if (wrong !== undefined) return commits.map(() => wrong)
  const claim = { id, producerId, producerEpoch }
  const place = groups.transactions.placeOf(groupId)
  if (isStale(claim, place, context)) return commits.map(() => 'INVALID_PRODUCER_EPOCH')
  const [admitted] = await transactions.admit(claim, [place], { implicit: version >= implicitFrom })
  // Looked at again in this turn: while the log was written the transaction may have been taken away.
  const error = admitted === 'NONE' ? transactions.verify(claim, [place])[0]! : admitted!
  if (error !== 'NONE') return commits.map(() => asOf(version, error))
  return groups.transactions.stage({
    groupId,
    producerId,
    producerEpoch,
    generation: request.generationIdOrMemberEpoch,
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    partitions: commits,
    commits,
  })
}

/** What the group's partition itself knows comes first, as in Produce; a log that cannot be asked says so at the append. */
function isStale({ producerId, producerEpoch }: Producer, { topic, partition }: TopicPartition, { broker }: Context) {
  try {
    const log = broker.topic(topic)?.partitions[partition]?.log
    return log?.producers.checkEpoch(producerId, producerEpoch) !== undefined
  } catch {
    return false
  }
}

/** What a producer of this version understands. */
function asOf(version: number, error: ErrorName): ErrorName {
  if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
  if (error === 'TRANSACTION_ABORTABLE' && version < abortableFrom) return 'INVALID_TXN_STATE'
  return error
}
