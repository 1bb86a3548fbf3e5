// DescribeProducers: who writes to a partition with an id of its own, and where its open transaction began (KIP-664).

import { errors, Refusal } from '../../protocol/errors.ts'
import { describeProducers } from '../../protocol/messages/61-describe-producers.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { type Context, serve } from './api.ts'
import { checkLeader } from './leader-epoch.ts'

/** What is not there is told with Kafka's own sentence, but only where the topic is missing as a whole. */
const notHosted = 'This server does not host this topic-partition.'

function activeIn(topic: string, index: number, { broker, node }: Context) {
  const badName = broker.checkTopicName(topic)
  if (badName !== undefined) return badName
  const found = broker.topic(topic)
  if (found === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', notHosted)
  const partition = found.partitions[index]
  if (partition === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  const wrong = checkLeader(-1, partition, node, true)
  if (wrong !== undefined) return wrong
  try {
    return Array.from(partition.producers(), ([producerId, producer]) => ({
      producerId,
      producerEpoch: producer.epoch,
      lastSequence: producer.batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.transactionStart ?? -1,
    }))
  } catch (cause) {
    return storageRefusal(cause)
  }
}

function answer(topic: string, partitionIndex: number, context: Context) {
  const active = activeIn(topic, partitionIndex, context)
  if (!(active instanceof Refusal)) {
    return { partitionIndex, errorCode: 0, errorMessage: null, activeProducers: active }
  }
  const { code: errorCode, error, message } = active
  const errorMessage = message === errors[error].sentence ? null : message
  return { partitionIndex, errorCode, errorMessage, activeProducers: [] }
}

export const describeProducersApi = serve(describeProducers, [0, 0], ({ topics }, context) => ({
  topics: topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => answer(name, index, context)),
  })),
}))
