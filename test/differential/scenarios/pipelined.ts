// Requests that are sent without waiting for the answers before them: each must find what the one before has done.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { addPartitionsToTxn } from '../../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../protocol/messages/26-end-txn.ts'
import { txnOffsetCommit } from '../../../protocol/messages/28-txn-offset-commit.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { offsetDelete } from '../../../protocol/messages/47-offset-delete.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { batchOf } from '../../wire-client.ts'
import type { Request, Side } from '../side.ts'
import { withoutInterval } from './consumer-groups.ts'
import { allCoordinators } from './coordinators.ts'
import { coordinatorOf } from './groups.ts'
import { Producer } from './transactions.ts'

const name = 'pl'
const timeoutMs = 5000

const commits = (groupId: string, committedOffset: number): Request => {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
  const who = { groupId, generationIdOrMemberEpoch: -1, memberId: '' }
  return [offsetCommit, 8, { ...who, topics: [{ name, partitions }] }]
}

const committed = (groupId: string): Request => {
  const topics = [{ name, partitionIndexes: [0] }]
  return [offsetFetch, 8, { groups: [{ groupId, topics }], requireStable: true }]
}

const described = (groupId: string): Request => [describeGroups, 6, { groups: [groupId] }]

export async function pipelinedScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  const topicId = await side.topic(name, 2)
  for (const groupId of ['pl', 'pl-gone', 'pl-consumers', 'pl-tx']) await coordinatorOf(side, groupId)
  await side.together('commits and asks', commits('pl', 1), committed('pl'), commits('pl', 2), committed('pl'))
  const forgets: Request = [offsetDelete, 0, { groupId: 'pl', topics: [{ name, partitions: [{ partitionIndex: 0 }] }] }]
  await side.together(
    'commits and forgets',
    commits('pl', 3),
    forgets,
    committed('pl'),
    commits('pl', 4),
    committed('pl'),
  )
  const deletes: Request = [deleteGroups, 2, { groupsNames: ['pl-gone'] }]
  await side.together('a group comes and goes', commits('pl-gone', 1), deletes, described('pl-gone'), deletes)
  const beat = (memberEpoch: number): Request => [
    consumerGroupHeartbeat,
    1,
    {
      groupId: 'pl-consumers',
      memberId: 'm',
      memberEpoch,
      ...(memberEpoch === 0 ? { rebalanceTimeoutMs: 9000, topicPartitions: [], subscribedTopicNames: [name] } : {}),
    },
  ]
  const look: Request = [consumerGroupDescribe, 1, { groupIds: ['pl-consumers'], includeAuthorizedOperations: false }]
  await side.together('joins and leaves', beat(0), look, beat(2), beat(-1), look, beat(0), look)
  await records(side, topicId)
  await transactions(side, topicId)
}

async function records(side: Side, topicId: string): Promise<void> {
  const end = (timestamp: number): Request => [
    listOffsets,
    7,
    { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }] },
  ]
  const send: Request = [
    produce,
    9,
    { acks: -1, timeoutMs, topicData: [{ name, partitionData: [{ index: 0, records: batchOf(['x']) }] }] },
  ]
  await side.together('writes and asks', send, end(-1), send, end(-1), end(-2))
  const cut: Request = [
    deleteRecords,
    2,
    { topics: [{ name, partitions: [{ partitionIndex: 0, offset: 1 }] }], timeoutMs },
  ]
  await side.together('deletes and asks', cut, end(-2), send, end(-1))
  const topics = [{ topic: name, topicId, partitions: [{ partition: 0, fetchOffset: 3, partitionMaxBytes: 1000 }] }]
  const body = { maxWaitMs: 500, minBytes: 1, isolationLevel: 0, topics, forgottenTopicsData: [] }
  await side.together('writes and reads', send, [fetch, 12, body])
}

async function transactions(side: Side, topicId: string): Promise<void> {
  const producers = [await Producer.open(side, 'pl-old'), await Producer.open(side, 'pl-young')] as const
  const [old, young] = producers.map(({ name: transactionalId, held }) => ({ transactionalId, ...held })) as [
    Producer['held'] & { transactionalId: string },
    Producer['held'] & { transactionalId: string },
  ]
  const adds: Request = [
    addPartitionsToTxn,
    3,
    {
      v3AndBelowTransactionalId: old.transactionalId,
      v3AndBelowProducerId: old.producerId,
      v3AndBelowProducerEpoch: old.producerEpoch,
      v3AndBelowTopics: [{ name, partitions: [1] }],
    },
  ]
  const sendAs = (version: number, who: typeof old, baseSequence: number): Request => {
    const records = batchOf(['x'], { ...who, baseSequence, isTransactional: true })
    const topicData = [{ name, topicId, partitionData: [{ index: 1, records }] }]
    return [produce, version, { transactionalId: who.transactionalId, acks: -1, timeoutMs, topicData }]
  }
  const offsets: Request = [addOffsetsToTxn, 3, { ...old, groupId: 'pl-tx' }]
  const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }]
  const stages: Request = [txnOffsetCommit, 3, { ...old, groupId: 'pl-tx', topics: [{ name, partitions }] }]
  const ends: Request = [endTxn, 3, { ...old, committed: true }]
  await side.together('a whole transaction', adds, sendAs(9, old, 0), sendAs(9, old, 1), offsets, stages, ends)
  await producers[0].rest('of a whole transaction')
  const commitsYoung: Request = [endTxn, 5, { ...young, committed: true }]
  await side.together('a whole transaction of one epoch', sendAs(12, young, 0), sendAs(12, young, 1), commitsYoung)
}
