// TxnOffsetCommit: how far a group has read, as part of a transaction (KIP-98); the consumer's generation fences it
// (KIP-447), and from v5 on it brings the group's partition into the transaction by itself (KIP-890).

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { txnOffsetCommit } from '../../protocol/messages/28-txn-offset-commit.ts'
import type { Element, Request } from '../../protocol/schema.ts'
import type { Topic } from '../broker/topic.ts'
import type { Commit } from '../group/offset-requests.ts'
import { type Context, serve } from './api.ts'
import { elsewhere } from './coordinator.ts'

type Asked = Request<typeof txnOffsetCommit>
type AskedTopic = Element<Asked, 'topics'>

/** Brings its partition along. */
const implicitFrom = 5
/** Its client knows TRANSACTION_ABORTABLE. */
const abortableFrom = 4
/** Topics by id. */
const byIdFrom = 6

export const txnOffsetCommitApi = serve(txnOffsetCommit, [0, 6], async (request, context) => {
  const answers = new Map<object, ErrorName>()
  const commits: Commit[] = []
  const committed: object[] = []
  for (const asked of request.topics) {
    const topic = find(asked, context)
    for (const partition of asked.partitions) {
      if (topic === undefined || topic.partitions[partition.partitionIndex] === undefined) {
        answers.set(partition, unknown(topic, context.version))
        continue
      }
      commits.push(commitOf(topic, partition))
      committed.push(partition)
    }
  }
  const outcomes = commits.length === 0 ? [] : await commit(request, commits, context)
  outcomes.forEach((error, i) => {
    answers.set(committed[i]!, error)
  })
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: errors[answers.get(partition)!].code,
      })),
    })),
  }
})

async function commit(request: Asked, commits: readonly Commit[], context: Context): Promise<readonly ErrorName[]> {
  const { transactions, groups, version } = context
  const { transactionalId: id, producerId, producerEpoch, groupId } = request
  if (groupId === '') return commits.map(() => 'INVALID_GROUP_ID')
  const wrong = elsewhere('group', groupId, context)
  if (wrong !== undefined) return commits.map(() => wrong)
  const claim = { id, producerId, producerEpoch }
  const place = groups.transactions.placeOf(groupId)
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

const find = ({ name, topicId }: AskedTopic, { broker, version }: Context): Topic | undefined =>
  version >= byIdFrom ? broker.topicById(topicId) : broker.topic(name)

const unknown = (topic: Topic | undefined, version: number): ErrorName =>
  topic === undefined && version >= byIdFrom ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'

const commitOf = (topic: Topic, partition: Element<AskedTopic, 'partitions'>): Commit => ({
  topic: topic.name,
  topicId: topic.id,
  partition: partition.partitionIndex,
  offset: partition.committedOffset,
  leaderEpoch: partition.committedLeaderEpoch,
  metadata: partition.committedMetadata ?? '',
})

/** What a producer of this version understands. */
function asOf(version: number, error: ErrorName): ErrorName {
  if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
  if (error === 'TRANSACTION_ABORTABLE' && version < abortableFrom) return 'INVALID_TXN_STATE'
  return error
}
