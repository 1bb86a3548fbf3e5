// Metadata: which topics there are, who leads their partitions, and where the brokers are.

import { type ErrorName, errors, type Refusal } from '../../protocol/errors.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { type Request, zeroUuid } from '../../protocol/schema.ts'
import { isJsonTopic } from '../branch/json-topics.ts'
import { noLeader } from '../broker/leadership.ts'
import type { Topic } from '../broker/topic.ts'
import { type Context, serve } from './api.ts'
import { notAsked, operationsIf, operationsOnCluster } from './authorized-operations.ts'
import { autoCreate } from './auto-create.ts'
import { partitionState } from './partition-state.ts'
import { tellNames } from './renamed.ts'

type MetadataRequest = Request<typeof metadata>

type OperationsOf = (name: string) => number

function describe(topic: Topic, context: Context, operationsOf: OperationsOf) {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => told(partitionState(partition, context), context)),
    topicAuthorizedOperations: operationsOf(topic.name),
  }
}

type State = ReturnType<typeof partitionState>

/** That nobody leads is an error here, as it is not to DescribeTopicPartitions. Version 0 knows no replicas that are away. */
function told(state: State, { broker, version }: Context): State {
  if (state.offlineReplicas.length === 0 || state.errorCode !== 0) return state
  const leaderless = state.leaderId === noLeader
  const shown = version === 0 ? state.replicaNodes.filter(broker.placement.isRunning) : state.replicaNodes
  const error = leaderless ? 'LEADER_NOT_AVAILABLE' : version === 0 ? 'REPLICA_NOT_AVAILABLE' : 'NONE'
  return { ...state, errorCode: errors[error].code, replicaNodes: shown }
}

export const missing = (error: ErrorName, name: string | null, topicId: string, operations: number) => ({
  errorCode: errors[error].code,
  name,
  topicId,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: operations,
})

/** Each id once, those that name nothing first. */
function byId(ids: readonly string[], context: Context, operationsOf: OperationsOf) {
  const topics = [...new Set(ids)].map((id) => ({ id, topic: context.broker.topicById(id) }))
  return [
    ...topics
      .filter(({ topic }) => topic === undefined)
      .map(({ id }) => missing('UNKNOWN_TOPIC_ID', null, id, notAsked)),
    ...topics.flatMap(({ topic }) => (topic === undefined ? [] : [describe(topic, context, operationsOf)])),
  ]
}

/** Each name once, those that are there first. */
function byName(
  names: readonly string[],
  refusals: Map<string, Refusal>,
  context: Context,
  operationsOf: OperationsOf,
) {
  const topics = [...new Set(names)].map((name) => ({ name, topic: context.broker.topic(name) }))
  const error = (name: string) => refusals.get(name)?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION'
  return [
    ...topics.flatMap(({ topic }) => (topic === undefined ? [] : [describe(topic, context, operationsOf)])),
    ...topics
      .filter(({ topic }) => topic === undefined)
      .map(({ name }) => missing(error(name), name, zeroUuid, operationsOf(name))),
  ]
}

/** Versions 10 and 11 have ids and null names in their bytes but do not serve them, and none serves what has neither. */
export function cannotBe({ topics }: MetadataRequest, version: number): boolean {
  if (topics === null) return false
  if (version < 12) return topics.some(({ name, topicId }) => name === null || topicId !== zeroUuid)
  return topics.some(({ name, topicId }) => name === null && topicId === zeroUuid)
}

const refusedWhole = ({ topics }: MetadataRequest) => ({
  brokers: [],
  topics: topics!.map(({ name, topicId }) => missing('INVALID_REQUEST', name ?? '', topicId, notAsked)),
})

const noRefusals: Map<string, Refusal> = new Map()

export const metadataApi = serve(metadata, [0, 13], async (request, context) => {
  const { broker, client, version } = context
  if (cannotBe(request, version)) return refusedWhole(request)
  tellNames(context)
  const { topics, allowAutoTopicCreation } = request
  const operationsOf = operationsIf(request.includeTopicAuthorizedOperations, 'TOPIC', context)
  // Version 0 has no null: its empty list means all.
  const all = topics === null || (version === 0 && topics.length === 0)
  const ids = all ? [] : topics.map(({ topicId }) => topicId).filter((id) => id !== zeroUuid)
  // A request that asks for one topic by its id asks for all by their ids.
  const names = all || ids.length > 0 ? [] : topics.map(({ name }) => name!)
  const mayCreate = version < 4 || allowAutoTopicCreation
  const unknown = names.filter((name) => broker.topic(name) === undefined)
  const wanted = mayCreate ? unknown : unknown.filter(isJsonTopic)
  const made = wanted.length > 0 ? await autoCreate(context, wanted) : noRefusals
  const refusals = mayCreate ? made : nameRefusals(unknown, context)
  const described = () => {
    if (all) return broker.listed().map((topic) => describe(topic, context, operationsOf))
    return ids.length > 0 ? byId(ids, context, operationsOf) : byName(names, refusals, context, operationsOf)
  }
  return {
    brokers: broker.nodes(client.listener).map(({ nodeId, host, port }) => ({ nodeId, host, port, rack: null })),
    clusterId: broker.clusterId,
    controllerId: broker.placement.controller(),
    topics: described(),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? operationsOnCluster(context) : notAsked,
  }
})

/** Names that no topic can bear are told so even to those who create nothing. */
function nameRefusals(names: readonly string[], { broker }: Context): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>()
  for (const name of names) {
    const refusal = broker.checkTopicName(name)
    if (refusal !== undefined) refusals.set(name, refusal)
  }
  return refusals
}
