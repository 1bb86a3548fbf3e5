// DescribeTopicPartitions: topics page by page, with a cursor between the pages (KIP-966).

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { describeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import { type Element, type Response, zeroUuid } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import { type Context, serve } from './api.ts'
import { notAsked, operationsOn } from './authorized-operations.ts'
import { partitionState } from './partition-state.ts'

const describe = (partition: Partition, context: Context) => {
  const { eligible, isr } = partition.leadership
  return {
    ...partitionState(partition, context),
    eligibleLeaderReplicas: [...eligible],
    // Who led last, while nobody does.
    lastKnownElr: isr.length === 0 ? eligible.slice(-1) : [],
  }
}

type Described = Element<Response<typeof describeTopicPartitions>, 'topics'>
type Cursor = { topicName: string; partitionIndex: number }

/** A cursor names one of the topics that are asked for, if any are, and a partition from 0 on. */
function isBad({ topicName, partitionIndex }: Cursor, asked: readonly string[]): boolean {
  return partitionIndex < 0 || (asked.length > 0 && !asked.includes(topicName))
}

const missing = (error: ErrorName, name: string, topicAuthorizedOperations: number) => ({
  errorCode: errors[error].code,
  name,
  topicId: zeroUuid,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations,
})

export const describeTopicPartitionsApi = serve(describeTopicPartitions, [0, 0], (request, context) => {
  const { broker, rights } = context
  const { cursor } = request
  const asked = request.topics.map(({ name }) => name)
  if (cursor !== null && isBad(cursor, asked)) {
    return { topics: asked.map((name) => missing('INVALID_REQUEST', name, notAsked)), nextCursor: null }
  }
  const all = asked.length === 0 ? broker.listed().map(({ name }) => name) : [...new Set(asked)].sort()
  const behind = cursor === null ? all : all.filter((name) => name >= cursor.topicName)
  const isSeen = (name: string) => rights === undefined || rights.topic('DESCRIBE', name)
  const names = behind.filter(isSeen)
  const hidden = [...new Set(asked)].filter((name) => !isSeen(name) && behind.includes(name))
  const page = (topics: readonly Described[], nextCursor: Cursor | null) => ({
    topics: [...topics, ...hidden.map((name) => missing('TOPIC_AUTHORIZATION_FAILED', name, notAsked))],
    nextCursor,
  })
  let left = Math.max(
    1,
    Math.min(request.responsePartitionLimit, broker.config.number('max.request.partition.size.limit')),
  )
  const topics: Described[] = []
  for (const name of names) {
    if (left === 0) return page(topics, { topicName: name, partitionIndex: 0 })
    const topic = broker.topic(name)
    if (topic === undefined) {
      const error = broker.checkTopicName(name)?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION'
      topics.push(missing(error, name, operationsOn('TOPIC', name, context)))
      continue
    }
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0
    const shown = topic.partitions.slice(from, from + left)
    left -= shown.length
    topics.push({
      errorCode: 0,
      name,
      topicId: topic.id,
      isInternal: topic.isInternal,
      partitions: shown.map((partition) => describe(partition, context)),
      topicAuthorizedOperations: operationsOn('TOPIC', name, context),
    })
    const next = from + shown.length
    if (next < topic.partitions.length) return page(topics, { topicName: name, partitionIndex: next })
  }
  return page(topics, null)
})
