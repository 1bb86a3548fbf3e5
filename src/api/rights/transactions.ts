// Rights on transactional ids: WRITE for their producers, DESCRIBE for those who look. Markers and batched questions come from
// brokers, which have a right on the cluster.

import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../protocol/messages/26-end-txn.ts'
import { writeTxnMarkers } from '../../../protocol/messages/27-write-txn-markers.ts'
import { txnOffsetCommit } from '../../../protocol/messages/28-txn-offset-commit.ts'
import { describeTransactions } from '../../../protocol/messages/65-describe-transactions.ts'
import { listTransactions } from '../../../protocol/messages/66-list-transactions.ts'
import { batchedFrom } from '../24-add-partitions-to-txn.ts'
import { refusedState } from '../65-describe-transactions.ts'
import { uncommitted } from '../committed-topics.ts'
import { after, codeOf, guard, refusal, split } from './guard.ts'

const refused = 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
const errorCode = codeOf(refused)
const noProducer = { producerId: -1, producerEpoch: -1 }

const initProducerIdGuard = guard(initProducerId, (request, rights, next) => {
  const { transactionalId: id } = request
  if (id === null ? rights.producesSomewhere : rights.transactionalId('WRITE', id)) return next(request)
  return { errorCode: id === null ? codeOf('CLUSTER_AUTHORIZATION_FAILED') : errorCode, ...noProducer }
})

/** One topic that may not be written to keeps all others out, which the handler sees to. */
const addPartitionsToTxnGuard = guard(addPartitionsToTxn, (request, rights, next, { version }) => {
  if (version >= batchedFrom) {
    return rights.cluster('CLUSTER_ACTION')
      ? next(request)
      : refusal(addPartitionsToTxn, 'CLUSTER_AUTHORIZATION_FAILED')
  }
  if (rights.transactionalId('WRITE', request.v3AndBelowTransactionalId)) return next(request)
  const results = request.v3AndBelowTopics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorCode })),
  }))
  return { resultsByTopicV3AndBelow: results }
})

const addOffsetsToTxnGuard = guard(addOffsetsToTxn, (request, rights, next) => {
  if (!rights.transactionalId('WRITE', request.transactionalId)) return { errorCode }
  return rights.group('READ', request.groupId) ? next(request) : { errorCode: codeOf('GROUP_AUTHORIZATION_FAILED') }
})

const endTxnGuard = guard(endTxn, (request, rights, next) =>
  rights.transactionalId('WRITE', request.transactionalId) ? next(request) : { errorCode, ...noProducer },
)

const writeTxnMarkersGuard = guard(writeTxnMarkers, (request, rights, next) => {
  if (rights.cluster('ALTER') || rights.cluster('CLUSTER_ACTION')) return next(request)
  const code = codeOf('CLUSTER_AUTHORIZATION_FAILED')
  const markers = request.markers.map(({ producerId, topics }) => ({
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode: code })),
    })),
  }))
  return { markers }
})

const txnOffsetCommitGuard = guard(txnOffsetCommit, (request, rights, next) => {
  if (!rights.transactionalId('WRITE', request.transactionalId)) return { topics: uncommitted(request.topics, refused) }
  if (rights.group('READ', request.groupId)) return next(request)
  return { topics: uncommitted(request.topics, 'GROUP_AUTHORIZATION_FAILED') }
})

const describeTransactionsGuard = guard(describeTransactions, (request, rights, next) => {
  const [transactionalIds, hidden] = split(request.transactionalIds, (id) => rights.transactionalId('DESCRIBE', id))
  return after(next({ ...request, transactionalIds }), (answer) => ({
    transactionStates: [
      ...answer.transactionStates.map((state) => ({
        ...state,
        topics: state.topics.filter(({ topic }) => rights.topic('DESCRIBE', topic)),
      })),
      ...hidden.map((id) => refusedState(id, errorCode)),
    ],
  }))
})

const listTransactionsGuard = guard(listTransactions, (request, rights, next) =>
  after(next(request), (answer) => ({
    ...answer,
    transactionStates: answer.transactionStates.filter(({ transactionalId: id }) =>
      rights.transactionalId('DESCRIBE', id),
    ),
  })),
)

export const transactionGuards = [
  ...[initProducerIdGuard, addPartitionsToTxnGuard, addOffsetsToTxnGuard, endTxnGuard],
  ...[writeTxnMarkersGuard, txnOffsetCommitGuard, describeTransactionsGuard, listTransactionsGuard],
]
