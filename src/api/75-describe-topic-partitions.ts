// DescribeTopicPartitions: topics page by page, with a cursor between the pages (KIP-966).

import { errors } from '../../protocol/errors.ts'
import { describeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import { type Context, serve } from './api.ts'
import { notAsked, topicOperations } from './authorized-operations.ts'

const limitMax = 2000
/** Asked with a list, Kafka lists what nobody asked about as not wanted. */
const operationsOf = (known: boolean) => (known ? topicOperations : notAsked)

function describe(partition: Partition, { broker }: Context) {
  const leaderId = broker.leader(partition)
  return {
    errorCode: partition.offline === undefined ? 0 : errors.KAFKA_STORAGE_ERROR.code,
    partitionIndex: partition.index,
    leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [leaderId],
    isrNodes: [leaderId],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: [],
  }
}

export const describeTopicPartitionsApi = serve(describeTopicPartitions, [0, 0], (request, context) => {
  const { broker } = context
  const { cursor } = request
  const asked = request.topics.map(({ name }) => name)
  const all = asked.length === 0 ? broker.topics().map(({ name }) => name) : [...new Set(asked)].sort()
  const names = cursor === null ? all : all.filter((name) => name >= cursor.topicName)
  let left = Math.max(1, Math.min(request.responsePartitionLimit, limitMax))
  const topics = []
  for (const name of names) {
    const topic = broker.topic(name)
    if (topic === undefined) {
      const errorCode = (broker.checkTopicName(name) ?? { code: errors.UNKNOWN_TOPIC_OR_PARTITION.code }).code
      const topicAuthorizedOperations = operationsOf(false)
      topics.push({ errorCode, name, topicId: zeroUuid, isInternal: false, partitions: [], topicAuthorizedOperations })
      continue
    }
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const from = cursor?.topicName === name ? Math.max(0, cursor.partitionIndex) : 0
    const shown = topic.partitions.slice(from, from + left)
    left -= shown.length
    topics.push({
      errorCode: 0,
      name,
      topicId: topic.id,
      isInternal: topic.isInternal,
      partitions: shown.map((partition) => describe(partition, context)),
      topicAuthorizedOperations: operationsOf(true),
    })
    const next = from + shown.length
    if (next < topic.partitions.length) return { topics, nextCursor: { topicName: name, partitionIndex: next } }
  }
  return { topics, nextCursor: null }
})
