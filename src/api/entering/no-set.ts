// What a client is told that enters a set which does not exist: at once an error that it does not try again, whatever it
// asks, and nothing of the root (§1.8). Topics are refused by the ordinary handlers, which see a broker without any.

import { errors } from '../../../protocol/errors.ts'
import { defaultOf, emptyBytes, type Fields, type Message } from '../../../protocol/schema.ts'
import type { Api, Context } from '../api.ts'
import { resourceTypes } from '../config-resource.ts'

// biome-ignore lint/suspicious/noExplicitAny: requests of many tables; each line below knows its own.
type Asked = any

const badTopic = errors.INVALID_TOPIC_EXCEPTION.code
const badGroup = errors.INVALID_GROUP_ID.code
const badRequest = errors.INVALID_REQUEST.code

/** Who speaks and what is spoken here is asked of the connection, before anybody has entered anything. */
const ofTheConnection: ReadonlySet<number> = new Set([17, 18, 36])

/** Produce, Fetch, ListOffsets, Metadata … : about topics only, each answered by itself. */
const ofTopics: ReadonlySet<number> = new Set([0, 1, 2, 3, 19, 20, 21, 23, 27, 34, 37, 43, 45, 61, 75])

const each = (names: readonly string[], of: (name: string) => object) => names.map(of)
const perPartition = (topics: Asked[], errorCode: number) =>
  topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((of: Asked) => ({ partitionIndex: of.partitionIndex, errorCode })),
  }))
const unfetched = (topics: Asked[] | null) =>
  (topics ?? []).map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex: number) => ({
      ...{ partitionIndex, committedOffset: -1, metadata: '', errorCode: badGroup },
    })),
  }))
const added = (topics: Asked[]) =>
  topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex: number) => ({ partitionIndex, partitionErrorCode: badTopic })),
  }))
const ofResource = ({ resourceType, resourceName }: Asked) => ({
  errorCode:
    resourceType === resourceTypes.topic ? badTopic : resourceType === resourceTypes.group ? badGroup : badRequest,
  errorMessage: 'There is no such branch set.',
  resourceType,
  resourceName,
  configs: [],
})
const undescribed = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
const nowhere = { nodeId: -1, host: '', port: -1, errorMessage: 'There is no such branch set.' }
const coordinatorError = (keyType: number) => (keyType === 1 ? badRequest : badGroup)

/** Answers that the error of the whole is not enough for. */
const answers: Readonly<Record<number, (request: Asked) => object>> = {
  8: ({ topics }) => ({ topics: perPartition(topics, badGroup) }),
  9: ({ topics, groups }) => ({
    errorCode: badGroup,
    topics: unfetched(topics),
    groups: groups.map((of: Asked) => ({ groupId: of.groupId, errorCode: badGroup, topics: unfetched(of.topics) })),
  }),
  10: ({ keyType, coordinatorKeys }) => {
    const errorCode = coordinatorError(keyType)
    return { ...nowhere, errorCode, coordinators: each(coordinatorKeys, (key) => ({ key, ...nowhere, errorCode })) }
  },
  11: ({ memberId }) => ({
    errorCode: badGroup,
    generationId: -1,
    protocolName: '',
    leader: '',
    memberId,
    members: [],
  }),
  12: () => ({ errorCode: badGroup }),
  13: () => ({ errorCode: badGroup, members: [] }),
  14: () => ({ errorCode: badGroup, assignment: emptyBytes }),
  15: ({ groups }) => ({
    groups: each(groups, (groupId) => ({
      ...{ groupId, errorCode: badGroup, groupState: '', protocolType: '', protocolData: '', members: [] },
    })),
  }),
  22: () => ({ errorCode: badRequest, producerId: -1, producerEpoch: -1 }),
  24: ({ transactions, v3AndBelowTopics }) => ({
    resultsByTransaction: transactions.map(({ transactionalId, topics }: Asked) => ({
      transactionalId,
      topicResults: added(topics),
    })),
    resultsByTopicV3AndBelow: added(v3AndBelowTopics),
  }),
  26: () => ({ errorCode: badRequest, producerId: -1, producerEpoch: -1 }),
  28: ({ topics }) => ({ topics: perPartition(topics, badGroup) }),
  30: ({ creations }) => ({ results: creations.map(() => ({ errorCode: badRequest, errorMessage: null })) }),
  31: ({ filters }) => ({
    filterResults: filters.map(() => ({ errorCode: badRequest, errorMessage: null, matchingAcls: [] })),
  }),
  32: ({ resources }) => ({ results: resources.map(ofResource) }),
  33: ({ resources }) => ({ responses: resources.map(ofResource) }),
  42: ({ groupsNames }) => ({ results: each(groupsNames, (groupId) => ({ groupId, errorCode: badGroup })) }),
  44: ({ resources }) => ({ responses: resources.map(ofResource) }),
  47: () => ({ errorCode: badGroup, topics: [] }),
  49: ({ entries }) => ({
    entries: entries.map(({ entity }: Asked) => ({ errorCode: badRequest, errorMessage: null, entity })),
  }),
  51: ({ deletions, upsertions }) => ({
    results: [...deletions, ...upsertions].map(({ name }) => ({
      user: name,
      errorCode: badRequest,
      errorMessage: null,
    })),
  }),
  65: ({ transactionalIds }) => ({
    transactionStates: each(transactionalIds, (transactionalId) => ({
      ...{ errorCode: badRequest, transactionalId, transactionState: '', transactionTimeoutMs: 0 },
      ...{ transactionStartTimeMs: 0, producerId: 0, producerEpoch: 0, topics: [] },
    })),
  }),
  68: () => ({ errorCode: badGroup, memberEpoch: 0, heartbeatIntervalMs: 0 }),
  69: ({ groupIds }) => ({ groups: each(groupIds, (groupId) => ({ groupId, errorCode: badGroup, ...undescribed })) }),
  76: () => ({ errorCode: badGroup, memberEpoch: 0, heartbeatIntervalMs: 0 }),
  77: ({ groupIds }) => ({ groups: each(groupIds, (groupId) => ({ groupId, errorCode: badGroup, ...undescribed })) }),
  78: () => ({ errorCode: badGroup, responses: [], nodeEndpoints: [] }),
  79: () => ({ errorCode: badGroup, responses: [], nodeEndpoints: [] }),
  90: ({ groups }) => ({
    groups: groups.map(({ groupId }: Asked) => ({ groupId, topics: [], errorCode: badGroup })),
  }),
  91: () => ({ errorCode: badGroup, responses: [] }),
  92: () => ({ errorCode: badGroup, responses: [] }),
}

/** `context` shows a broker without topics. */
export function refuse(api: Api, request: Message<Fields>, context: Context): unknown {
  const { key, response } = api.table
  if (ofTheConnection.has(key)) return api.handle(request, context)
  if (ofTopics.has(key)) {
    const outcome = api.handle(request, context)
    return outcome instanceof Promise ? outcome.then(forGood) : forGood(outcome)
  }
  const answer = answers[key]?.(request)
  if (answer !== undefined) return answer
  const rest = Object.entries(response.fields).map(([name, field]) => [name, defaultOf(field)])
  return { ...Object.fromEntries(rest), errorCode: badRequest }
}

/** What is wrong beside is of no interest: a client that mends it would still be nowhere. */
function forGood(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(forGood)
  if (typeof answer !== 'object' || answer === null || Buffer.isBuffer(answer)) return answer
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [
      name,
      name === 'errorCode' && value !== 0 ? badTopic : forGood(value),
    ]),
  )
}
