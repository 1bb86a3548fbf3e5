// Produce: each partition's batch goes down to its log; the answer climbs back when the promise of `acks` is kept.

import { type ErrorName, errors, ProtocolViolation } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import type { Records } from '../../protocol/reader.ts'
import { emptyBytes, type Request, type Response } from '../../protocol/schema.ts'
import { toldTopics } from '../branch/json-topics.ts'
import { isShort } from '../broker/leadership.ts'
import type { Partition } from '../broker/partition.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Topic } from '../broker/topic.ts'
import { refuseOnView } from '../broker/view-refusal.ts'
import { stamp } from '../command/stamp.ts'
import { type Appended, BatchRefusal } from '../log/log.ts'
import { type Context, serve } from './api.ts'
import { autoCreate } from './auto-create.ts'
import { currentLeader, endpointsOf } from './leader-epoch.ts'
import { mayMeanAnother } from './renamed.ts'
import { Admission, inOrder, isTransactional, isWaiting, type Refusals } from './transactional-produce.ts'

type ProduceRequest = Request<typeof produce>
type TopicData = ProduceRequest['topicData'][number]
type Outcome = { index: number; partition: Partition | undefined; result: Appended | BatchRefusal }

/** Kafka keeps clients from writing into its own topics, except a client of this name. */
const adminClientId = '__admin_client'
/** Refusals of what never came near the log: they do not tell where it starts. */
const withoutLogStart: ReadonlySet<ErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'NOT_ENOUGH_REPLICAS',
  'MESSAGE_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'KAFKA_STORAGE_ERROR',
  'UNSUPPORTED_COMPRESSION_TYPE',
])

function topicOf(data: TopicData, context: Context): Topic | undefined {
  const { broker, version } = context
  if (version < 13) return broker.topic(data.name)
  const topic = broker.topicById(data.topicId)
  return topic?.renamedAt !== undefined && mayMeanAnother(topic, context) ? undefined : topic
}

function appendTo(
  topic: Topic | undefined,
  data: TopicData,
  request: ProduceRequest,
  context: Context,
  refusals: Refusals | undefined,
): Outcome[] {
  const unknown = context.version >= 13 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
  return data.partitionData.map((of) => {
    const { index, records } = of
    const refuse = (refusal: BatchRefusal): Outcome => ({ index, partition: undefined, result: refusal })
    const isOdd = request.acks < -1 || request.acks > 1
    // What is not there is said before that.
    if (isOdd && topic?.partitions[index] !== undefined) return refuse(new BatchRefusal('INVALID_REQUIRED_ACKS'))
    const refusal = refusals?.get(of)
    if (refusal !== undefined) return refuse(refusal)
    if (topic === undefined) return refuse(new BatchRefusal(unknown))
    if (isClosed(topic, context)) return refuse(ownTopic(topic.name))
    const onView = refuseOnView(topic, 'produce to')
    if (onView !== undefined) return refuse(new BatchRefusal(onView.error, onView.message))
    if (topic.config.protection !== 'none') return refuse(protectedRefusal(topic))
    const partition = topic.partitions[index]
    if (partition === undefined) return refuse(new BatchRefusal('UNKNOWN_TOPIC_OR_PARTITION'))
    const misplaced = checkPlace(partition, request.acks, context.node)
    if (misplaced !== undefined) return { index, partition, result: misplaced }
    const given = (records ?? emptyBytes) as Records
    const { principal, host } = context.client
    const bytes = topic.takesCommands
      ? stamp(given, { principal, host, clientId: context.clientId, entered: context.entered }, context.version)
      : given
    return { index, partition, result: partition.append(bytes, context.version) }
  })
}

/** Only the leader takes records, and with `acks=all` only while enough replicas are in sync. */
function checkPlace(partition: Partition, acks: number, node: number): BatchRefusal | undefined {
  if (partition.leader !== node) return new BatchRefusal('NOT_LEADER_OR_FOLLOWER')
  return acks === -1 && isShort(partition.leadership, partition.minInsyncReplicas)
    ? new BatchRefusal('NOT_ENOUGH_REPLICAS')
    : undefined
}

const protectedRefusal = ({ name, config: { protection } }: Topic): BatchRefusal => {
  const rule =
    protection === 'frozen'
      ? 'nothing may write to it; set it to none and it is as before'
      : 'only merges, reverts and resolutions may write to it; merge a branch into it, or set it to none'
  return new BatchRefusal('POLICY_VIOLATION', `'${name}' has branch.protect=${protection}: ${rule}.`)
}

const isClosed = (topic: Topic, context: Context): boolean =>
  topic.isInternal && (context.clientId !== adminClientId || toldTopics.has(topic.name))

const ownTopic = (name: string): BatchRefusal => {
  const message = `'${name}' is the broker's own topic.`
  return new BatchRefusal(toldTopics.has(name) ? 'TOPIC_AUTHORIZATION_FAILED' : 'INVALID_TOPIC_EXCEPTION', message)
}

/** Waits until what was appended is as durable as the topic asks; a disk that fails turns the outcome into a refusal. */
async function settle(outcome: Outcome): Promise<void> {
  try {
    if (!(outcome.result instanceof BatchRefusal)) await outcome.partition?.flushed()
  } catch (cause) {
    outcome.result = storageRefusal(cause)
  }
}

const none: readonly never[] = []

function waitingOf(outcomes: Outcome[][]): readonly Outcome[] {
  let waiting: Outcome[] | undefined
  for (const each of outcomes) {
    for (const outcome of each) {
      if (!waits(outcome)) continue
      waiting ??= []
      waiting.push(outcome)
    }
  }
  return waiting ?? none
}

function waits({ partition, result }: Outcome): boolean {
  return !(result instanceof BatchRefusal) && partition !== undefined && !partition.isRemoved && partition.isBehind
}

function answerPartition({ index, partition, result }: Outcome) {
  const isThere = partition !== undefined && !partition.isRemoved
  if (result instanceof BatchRefusal) {
    const { error, message } = result
    return {
      index,
      errorCode: result.code,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: isThere && !withoutLogStart.has(error) ? partition.logStartOffset : -1,
      recordErrors: result.recordErrors.map((of) => ({ batchIndex: of.index, batchIndexErrorMessage: of.message })),
      // Clients have words of their own for the code alone.
      errorMessage: message === errors[error].sentence ? null : message,
      // KIP-951: where to go instead.
      ...(isMisled(result) && isThere ? { currentLeader: currentLeader(partition) } : {}),
    }
  }
  const { baseOffset, logAppendTimeMs } = result
  return { index, errorCode: 0, baseOffset, logAppendTimeMs, logStartOffset: isThere ? partition.logStartOffset : -1 }
}

/** Where the leaders are that the answer names: hardly ever one. */
function endpointsTold(outcomes: Outcome[][], context: Context) {
  const leaders: number[] = []
  for (const each of outcomes) {
    for (const { result, partition } of each) {
      if (isMisled(result) && partition !== undefined) leaders.push(partition.leader)
    }
  }
  return leaders.length === 0 ? none : endpointsOf(leaders, context)
}

const isMisled = (result: Outcome['result']): boolean =>
  result instanceof BatchRefusal && result.error === 'NOT_LEADER_OR_FOLLOWER'

function answer(
  request: ProduceRequest,
  outcomes: Outcome[][],
  context: Context,
): Response<typeof produce> | undefined {
  if (request.acks === 0) {
    const refused = outcomes.flat().find(({ result }) => result instanceof BatchRefusal)?.result
    // Nobody reads an answer: the end of the connection is what makes the producer look at its metadata again.
    if (refused instanceof BatchRefusal) throw new ProtocolViolation(`acks=0: ${refused.error}: ${refused.message}`)
    return undefined
  }
  return {
    nodeEndpoints: endpointsTold(outcomes, context),
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
    const isPlain = !isMissing(request, context) && !isTransactional(request) && gateOf(request, context) === undefined
    return isPlain && !isWaiting(context.client) ? finish(request, context) : admit(request, context)
  },
  // KAFKA-18659: older librdkafka turns compression off where the range does not begin at 0.
  { advertised: [0, 13], borrows: true },
)

/** The bytes of a request are only lent until the handler returns; from here on it has its own. */
function keepBytes({ topicData }: ProduceRequest): void {
  for (const { partitionData } of topicData)
    for (const of of partitionData)
      if (of.records !== null) of.records = Buffer.concat(Buffer.isBuffer(of.records) ? [of.records] : of.records)
}

const isMissing = ({ topicData }: ProduceRequest, context: Context): boolean =>
  context.version < 13 && topicData.some((data) => topicOf(data, context) === undefined)

const noRefusals: Refusals = new Map()

/** Resolves when one of its partitions takes records again that holds its producers back; undefined if none does. */
function gateOf({ topicData }: ProduceRequest, context: Context): Promise<void> | undefined {
  if (!context.broker.gates.anyClosed) return undefined
  for (const data of topicData) {
    const topic = topicOf(data, context)
    for (const { index } of data.partitionData) {
      const closed = topic?.partitions[index]?.gate.closed
      if (closed !== undefined) return closed
    }
  }
  return undefined
}

/** Topics that are missing are made, transactions are asked; what the client has sent behind it stays behind it. */
function admit(request: ProduceRequest, context: Context) {
  const placeOf = (data: TopicData, index: number) => {
    const topic = topicOf(data, context)
    const partition = topic?.partitions[index]
    if (partition?.leader !== context.node || isClosed(topic!, context)) return undefined
    if (topic!.config.view !== undefined) return undefined
    return { topic: topic!.name, partition }
  }
  // The id alone means nothing: only a batch that calls itself transactional takes part in a transaction.
  const judge = () => (isTransactional(request) ? new Admission(request, context, placeOf).refusals() : noRefusals)
  const judgeOpen = (): Refusals | Promise<Refusals> => {
    const closed = gateOf(request, context)
    if (closed !== undefined) return closed.then(judgeOpen)
    const names = request.topicData.map(({ name }) => name)
    const refusals = isMissing(request, context) ? autoCreate(context, names).then(judge) : judge()
    if (!(refusals instanceof Promise)) return refusals
    return refusals.then((known) => (gateOf(request, context) === undefined ? known : judgeOpen()))
  }
  return inOrder(context.client, {
    judge: judgeOpen,
    append: (refusals) => finish(request, context, refusals),
    keep: () => keepBytes(request),
  })
}

function finish(request: ProduceRequest, context: Context, refusals?: Refusals) {
  const outcomes = request.topicData.map((data) => appendTo(topicOf(data, context), data, request, context, refusals))
  const waiting = request.acks === 0 ? none : waitingOf(outcomes)
  if (waiting.length === 0) return answer(request, outcomes, context)
  const { waits: noted } = context
  const since = noted === undefined ? 0 : performance.now()
  return Promise.all(waiting.map(settle)).then(() => {
    if (noted !== undefined) noted.flushMs += performance.now() - since
    return answer(request, outcomes, context)
  })
}
