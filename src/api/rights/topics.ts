// Rights on topics: what is read, written, described, made, changed and deleted. A topic that may not even be described is
// answered like one that is not there to be seen, so that nobody learns which topics exist.

import { ProtocolViolation } from '../../../protocol/errors.ts'
import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { offsetForLeaderEpoch } from '../../../protocol/messages/23-offset-for-leader-epoch.ts'
import { createPartitions } from '../../../protocol/messages/37-create-partitions.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { describeTopicPartitions } from '../../../protocol/messages/75-describe-topic-partitions.ts'
import { type Element, type Request, zeroUuid } from '../../../protocol/schema.ts'
import { isJsonTopic } from '../../branch/json-topics.ts'
import { cannotBe, missing } from '../03-metadata.ts'
import type { Context } from '../api.ts'
import { notAsked } from '../authorized-operations.ts'
import { namedTwice } from '../named-twice.ts'
import { isTransactional } from '../transactional-produce.ts'
import { after, codeOf, guard, split } from './guard.ts'
import { everybody, nobody, type Rights } from './rights.ts'

const errorCode = codeOf('TOPIC_AUTHORIZATION_FAILED')

type TopicData = Element<Request<typeof produce>, 'topicData'>

const unwritten = ({ name, topicId, partitionData }: TopicData, code: number) => ({
  name,
  topicId,
  partitionResponses: partitionData.map(({ index }) => ({ index, errorCode: code, baseOffset: -1 })),
})

const produceGuard = guard(produce, (request, rights, next, { broker, version }) => {
  const { transactionalId: id, acks } = request
  const isForeign = isTransactional(request) && (id === null || !rights.transactionalId('WRITE', id))
  const nameOf = ({ name, topicId }: TopicData) => (version < 13 ? name : broker.topicById(topicId)?.name)
  const [allowed, refused] = split(isForeign ? [] : request.topicData, (data) => {
    const name = nameOf(data)
    return name === undefined || rights.topic('WRITE', name)
  })
  // As for a real broker, which makes topics for those alone who ask for metadata: what may not be made is not there.
  const [topicData, unmade] = split(allowed, (data) => {
    const name = nameOf(data)
    return name === undefined || broker.topic(name) !== undefined || isJsonTopic(name) || rights.create(name)
  })
  const responses = [
    ...(isForeign
      ? request.topicData.map((data) => unwritten(data, codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')))
      : []),
    ...refused.map((data) => unwritten(data, errorCode)),
    ...unmade.map((data) => unwritten(data, codeOf('UNKNOWN_TOPIC_OR_PARTITION'))),
  ]
  if (responses.length === 0) return next(request)
  if (topicData.length === 0 && acks !== 0) return { responses }
  const outcome = next({ ...request, topicData })
  if (acks !== 0) return after(outcome, (answer) => ({ ...answer, responses: [...answer.responses, ...responses] }))
  // Nobody reads an answer: the end of the connection says it.
  return Promise.resolve(outcome).then(() => {
    throw new ProtocolViolation('acks=0: the client may not write to all that it writes to')
  })
})

/**
 * A session outlives the requests that opened it, so that each partition is asked about where it is read. Who copies a
 * partition needs a right on the cluster, and no other.
 */
const fetchGuard = guard(fetch, (request, rights, next) => {
  const isFollower = Math.max(request.replicaId, request.replicaState.replicaId) >= 0
  if (!isFollower) return next(request, rights)
  return next(request, rights.cluster('CLUSTER_ACTION') ? everybody : nobody)
})

const listOffsetsGuard = guard(listOffsets, (request, rights, next) => {
  const [topics, refused] = split(request.topics, ({ name }) => rights.topic('DESCRIBE', name))
  const unknown = { errorCode, timestamp: -1, offset: -1 }
  return after(next({ ...request, topics }), (answer) => ({
    topics: [
      ...answer.topics,
      ...refused.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...unknown })),
      })),
    ],
  }))
})

/** Each name once, as in the handler. */
const unseen = (names: readonly string[]) =>
  [...new Set(names)].map((name) => missing('TOPIC_AUTHORIZATION_FAILED', name, zeroUuid, notAsked))

const metadataGuard = guard(metadata, (request, rights, next, { broker, version }) => {
  if (cannotBe(request, version)) return next(request)
  const mayDescribe = (name: string | null | undefined) => typeof name !== 'string' || rights.topic('DESCRIBE', name)
  const { topics } = request
  const isAll = topics === null || (version === 0 && topics.length === 0)
  if (isAll || topics.some(({ topicId }) => topicId !== zeroUuid)) {
    return after(next(request), (answer) => {
      const [shown, hidden] = split(answer.topics, ({ name }) => mayDescribe(name))
      if (isAll) return { ...answer, topics: shown }
      // That there is a topic with this id is no secret; its name is.
      const nameless = hidden.map(({ topicId }) => missing('TOPIC_AUTHORIZATION_FAILED', null, topicId!, notAsked))
      return { ...answer, topics: [...shown, ...nameless] }
    })
  }
  const makes = (version < 4 || request.allowAutoTopicCreation) && broker.config.boolean('auto.create.topics.enable')
  const [described, hidden] = split(topics, ({ name }) => mayDescribe(name))
  const [asked, unmade] = split(described, ({ name }) => {
    return !makes || broker.topic(name!) !== undefined || isJsonTopic(name!) || rights.create(name!)
  })
  const refused = unseen([...unmade, ...hidden].map(({ name }) => name!))
  return after(next({ ...request, topics: asked }), (answer) => {
    // To version 0 a request without topics asks for all of them.
    return { ...answer, topics: [...(asked.length === 0 ? [] : answer.topics), ...refused] }
  })
})

/** Whether a topic may be made is asked by the handler, for some are made together or not at all. */
const createTopicsGuard = guard(createTopics, (request, rights, next) =>
  after(next(request, rights), (answer) => ({
    ...answer,
    topics: answer.topics.map((topic) => {
      if (topic.errorCode !== 0 || rights.topic('DESCRIBE_CONFIGS', topic.name)) return topic
      return { ...topic, topicConfigErrorCode: errorCode, numPartitions: -1, replicationFactor: -1, configs: [] }
    }),
  })),
)

type Doomed = { readonly name: string | null; readonly topicId: string }

/** What is told of a topic that may not be deleted; undefined where it may, or is refused for something else. */
function undeletable(asked: Doomed, rights: Rights, { broker }: Context): Doomed | undefined {
  const { name, topicId } = asked
  if ((name === null) === (topicId === zeroUuid)) return undefined
  const topic = name === null ? broker.topicById(topicId) : broker.topic(name)
  const known = name ?? topic?.name
  if (known === undefined || rights.topic('DELETE', known)) return undefined
  const isSeen = rights.topic('DESCRIBE', known)
  if (name !== null) return topic === undefined && isSeen ? undefined : asked
  return { name: isSeen ? known : null, topicId }
}

const deleteTopicsGuard = guard(deleteTopics, (request, rights, next, context) => {
  const isOff = !context.broker.config.boolean('delete.topic.enable')
  if (isOff || rights.cluster('DELETE')) return next(request)
  const byId = context.version >= 6
  const asked: readonly Doomed[] = byId
    ? request.topics
    : request.topicNames.map((name) => ({ name, topicId: zeroUuid }))
  const twice = namedTwice(asked.map(({ name, topicId }) => name ?? topicId))
  const refusals = new Map(
    asked.flatMap((one) => {
      const told = twice.has(one.name ?? one.topicId) ? undefined : undeletable(one, rights, context)
      return told === undefined ? [] : [[one, told] as const]
    }),
  )
  const [left] = split(asked, (one) => !refusals.has(one))
  const refused = [...refusals.values()].map((told) => ({ ...told, errorCode, errorMessage: null }))
  const rest = byId ? { topics: [...left] } : { topicNames: left.map(({ name }) => name!) }
  return after(next({ ...request, ...rest }), (answer) => ({ ...answer, responses: [...answer.responses, ...refused] }))
})

const deleteRecordsGuard = guard(deleteRecords, (request, rights, next) => {
  const [topics, refused] = split(request.topics, ({ name }) => rights.topic('DELETE', name))
  return after(next({ ...request, topics }), (answer) => ({
    topics: [
      ...answer.topics,
      ...refused.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
      })),
    ],
  }))
})

/** Asked by brokers once, and by consumers since KIP-320. */
const offsetForLeaderEpochGuard = guard(offsetForLeaderEpoch, (request, rights, next) => {
  if (rights.cluster('CLUSTER_ACTION')) return next(request)
  const [topics, refused] = split(request.topics, ({ topic }) => rights.topic('DESCRIBE', topic))
  return after(next({ ...request, topics }), (answer) => ({
    topics: [
      ...answer.topics,
      ...refused.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
      })),
    ],
  }))
})

const createPartitionsGuard = guard(createPartitions, (request, rights, next) => {
  const twice = namedTwice(request.topics.map(({ name }) => name))
  const [topics, refused] = split(request.topics, ({ name }) => twice.has(name) || rights.topic('ALTER', name))
  return after(next({ ...request, topics }), (answer) => ({
    ...answer,
    results: [...answer.results, ...refused.map(({ name }) => ({ name, errorCode }))],
  }))
})

const describeProducersGuard = guard(describeProducers, (request, rights, next, { broker }) => {
  const [topics, refused] = split(request.topics, ({ name }) => {
    return broker.checkTopicName(name) !== undefined || rights.topic('READ', name)
  })
  return after(next({ ...request, topics }), (answer) => ({
    topics: [
      ...answer.topics,
      ...refused.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode, activeProducers: [] })),
      })),
    ],
  }))
})

/** Pages are cut by the handler, so that it asks. */
const describeTopicPartitionsGuard = guard(describeTopicPartitions, (request, rights, next) => {
  return next(request, rights)
})

export const topicGuards = [
  ...[produceGuard, fetchGuard, listOffsetsGuard, metadataGuard],
  ...[createTopicsGuard, deleteTopicsGuard, deleteRecordsGuard, offsetForLeaderEpochGuard],
  ...[createPartitionsGuard, describeProducersGuard, describeTopicPartitionsGuard],
]
