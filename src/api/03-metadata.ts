// Metadata: which topics there are, who leads their partitions, and where the brokers are.

import { errors, type Refusal } from '../../protocol/errors.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { type Request, zeroUuid } from '../../protocol/schema.ts'
import type { Topic } from '../broker/topic.ts'
import { type Context, serve } from './api.ts'
import { clusterOperations, notAsked, topicOperations } from './authorized-operations.ts'
import { autoCreate } from './auto-create.ts'

type MetadataRequest = Request<typeof metadata>

function describe(topic: Topic, { broker }: Context, operations: number) {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => {
      const leaderId = broker.leader(partition)
      return {
        errorCode: partition.offline === undefined ? 0 : errors.KAFKA_STORAGE_ERROR.code,
        partitionIndex: partition.index,
        leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicaNodes: [leaderId],
        isrNodes: [leaderId],
        offlineReplicas: [],
      }
    }),
    topicAuthorizedOperations: operations,
  }
}

const missing = (errorCode: number, name: string | null, topicId: string) => ({
  errorCode,
  name,
  topicId,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: notAsked,
})

/** Topics asked for by name or id, in the order of the request. */
function named(request: MetadataRequest, refusals: Map<string, Refusal>, context: Context, operations: number) {
  return request.topics!.map(({ name, topicId }) => {
    if (name === null || topicId !== zeroUuid) {
      const topic = context.broker.topicById(topicId)
      if (topic !== undefined) return describe(topic, context, operations)
      return missing(errors.UNKNOWN_TOPIC_ID.code, name, topicId)
    }
    const topic = context.broker.topic(name)
    if (topic !== undefined) return describe(topic, context, operations)
    return missing(refusals.get(name)?.code ?? errors.UNKNOWN_TOPIC_OR_PARTITION.code, name, zeroUuid)
  })
}

/** Versions 10 and 11 have ids and null names in their bytes but do not serve them: Kafka refuses such a request whole. */
function asksTooEarly({ topics }: MetadataRequest, version: number): boolean {
  return version < 12 && topics !== null && topics.some(({ name, topicId }) => name === null || topicId !== zeroUuid)
}

const refusedWhole = ({ topics }: MetadataRequest) => ({
  brokers: [],
  topics: topics!.map(({ name, topicId }) => missing(errors.INVALID_REQUEST.code, name ?? '', topicId)),
})

export const metadataApi = serve(metadata, [0, 13], async (request, context) => {
  const { broker, client, version } = context
  if (asksTooEarly(request, version)) return refusedWhole(request)
  const { topics, allowAutoTopicCreation } = request
  const operations = request.includeTopicAuthorizedOperations ? topicOperations : notAsked
  // Version 0 has no null: its empty list means all.
  const all = topics === null || (version === 0 && topics.length === 0)
  const names = all ? [] : topics.flatMap(({ name, topicId }) => (name !== null && topicId === zeroUuid ? [name] : []))
  const mayCreate = version < 4 || allowAutoTopicCreation
  const unknown = names.filter((name) => broker.topic(name) === undefined)
  const refusals = unknown.length > 0 && mayCreate ? await autoCreate(context, unknown) : nameRefusals(unknown, context)
  return {
    brokers: broker.nodes(client.listener).map(({ nodeId, host, port }) => ({ nodeId, host, port, rack: null })),
    clusterId: broker.clusterId,
    controllerId: broker.controller(),
    topics: all
      ? broker.topics().map((topic) => describe(topic, context, operations))
      : named(request, refusals, context, operations),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations : notAsked,
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
