// Produce: each partition's batch goes down to its log; the answer climbs back when the promise of `acks` is kept.

import { ProtocolViolation } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import type { Records } from '../../protocol/reader.ts'
import { emptyBytes, type Request, type Response } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import { storageRefusal } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import { type Appended, BatchRefusal } from '../log/log.ts'
import { type Context, serve } from './api.ts'
import { autoCreate } from './auto-create.ts'

type ProduceRequest = Request<typeof produce>
type TopicData = ProduceRequest['topicData'][number]
type Outcome = { index: number; partition: Partition | undefined; result: Appended | BatchRefusal }

/** Kafka keeps clients from writing into its own topics, except a client of this name. */
const adminClientId = '__admin_client'

function topicOf(data: TopicData, { broker, version }: Context): Topic | undefined {
  return version >= 13 ? broker.topicById(data.topicId) : broker.topic(data.name)
}

function appendTo(topic: Topic | undefined, data: TopicData, request: ProduceRequest, context: Context): Outcome[] {
  const unknown = context.version >= 13 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
  return data.partitionData.map(({ index, records }) => {
    const refuse = (refusal: BatchRefusal): Outcome => ({ index, partition: undefined, result: refusal })
    if (request.acks < -1 || request.acks > 1) return refuse(new BatchRefusal('INVALID_REQUIRED_ACKS'))
    if (request.transactionalId !== null) {
      return refuse(new BatchRefusal('INVALID_TXN_STATE', 'Transactions are not served by this broker yet.'))
    }
    if (topic === undefined) return refuse(new BatchRefusal(unknown))
    if (topic.isInternal && context.clientId !== adminClientId) {
      return refuse(new BatchRefusal('INVALID_TOPIC_EXCEPTION', `'${topic.name}' is the broker's own topic.`))
    }
    const partition = topic.partitions[index]
    if (partition === undefined) return refuse(new BatchRefusal('UNKNOWN_TOPIC_OR_PARTITION'))
    return { index, partition, result: partition.append((records ?? emptyBytes) as Records, context.version) }
  })
}

/** Waits until what was appended is as durable as the topic asks; a disk that fails turns the outcome into a refusal. */
async function settle(outcome: Outcome): Promise<void> {
  try {
    if (!(outcome.result instanceof BatchRefusal)) await outcome.partition?.flushed()
  } catch (cause) {
    outcome.result = storageRefusal(cause)
  }
}

function waits({ partition, result }: Outcome): boolean {
  return !(result instanceof BatchRefusal) && partition !== undefined && !partition.isRemoved && partition.isBehind
}

function answerPartition({ index, partition, result }: Outcome) {
  if (result instanceof BatchRefusal) {
    return {
      index,
      errorCode: result.code,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: -1,
      recordErrors: result.recordErrors.map(({ index: batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      })),
      errorMessage: result.message,
    }
  }
  const { baseOffset, logAppendTimeMs } = result
  const logStartOffset = partition === undefined || partition.isRemoved ? -1 : partition.logStartOffset
  return { index, errorCode: 0, baseOffset, logAppendTimeMs, logStartOffset }
}

function answer(request: ProduceRequest, outcomes: Outcome[][]): Response<typeof produce> | undefined {
  if (request.acks === 0) {
    const refused = outcomes.flat().find(({ result }) => result instanceof BatchRefusal)?.result
    // Nobody reads an answer: the end of the connection is what makes the producer look at its metadata again.
    if (refused instanceof BatchRefusal) throw new ProtocolViolation(`acks=0: ${refused.error}: ${refused.message}`)
    return undefined
  }
  return {
    responses: request.topicData.map(({ name, topicId }, i) => ({
      name,
      topicId,
      partitionResponses: outcomes[i]!.map(answerPartition),
    })),
  }
}

export const produceApi = serve(
  produce,
  [3, 13],
  (request, context) => {
    const missing = context.version < 13 && request.topicData.some((data) => topicOf(data, context) === undefined)
    if (!missing) return finish(request, context)
    const kept = ownCopy(request)
    const names = request.topicData.map(({ name }) => name)
    return autoCreate(context, names).then(() => finish(kept, context))
  },
  // KAFKA-18659: older librdkafka turns compression off where the range does not begin at 0.
  { advertised: [0, 13], borrows: true },
)

/** The bytes of a request are only lent until the handler returns. */
function ownCopy(request: ProduceRequest): ProduceRequest {
  const copy = (records: Records): Buffer => Buffer.concat(Buffer.isBuffer(records) ? [records] : records)
  const topicData = request.topicData.map((data) => ({
    ...data,
    partitionData: data.partitionData.map(({ index, records }) => ({ index, records: records && copy(records) })),
  }))
  return { ...request, topicData }
}

function finish(request: ProduceRequest, context: Context) {
  const outcomes = request.topicData.map((data) => appendTo(topicOf(data, context), data, request, context))
  const waiting = request.acks === 0 ? [] : outcomes.flat().filter(waits)
  if (waiting.length === 0) return answer(request, outcomes)
  return Promise.all(waiting.map(settle)).then(() => answer(request, outcomes))
}
