// AlterPartitionReassignments: moves partitions between brokers (KIP-455). Each has its one place: to name that place is
// fine and changes nothing, every other one is refused.

import { Refusal } from '../../protocol/errors.ts'
import { alterPartitionReassignments } from '../../protocol/messages/45-alter-partition-reassignments.ts'
import { type Context, serve } from './api.ts'

function reassign(topic: string, index: number, replicas: readonly number[] | null, context: Context) {
  const { broker, client } = context
  const partitions = broker.topic(topic)?.partitions
  if (partitions === undefined) {
    return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find a topic named ${topic}.`)
  }
  const partition = partitions[index]
  if (partition === undefined) {
    return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find partition ${topic}:${index}.`)
  }
  if (replicas === null) return new Refusal('NO_REASSIGNMENT_IN_PROGRESS')
  const refuse = (why: string) => new Refusal('INVALID_REPLICA_ASSIGNMENT', `The manual partition assignment ${why}`)
  if (replicas.length === 0) return refuse('includes an empty replica list.')
  const twice = [...replicas].sort((a, b) => a - b).find((id, i, sorted) => id === sorted[i - 1])
  if (twice !== undefined) return refuse(`includes the broker ${twice} more than once.`)
  const nodes = new Set(broker.nodes(client.listener).map(({ nodeId }) => nodeId))
  const unknown = replicas.find((id) => !nodes.has(id))
  if (unknown !== undefined) return refuse(`includes broker ${unknown}, but no such broker is registered.`)
  const place = broker.leader(partition)
  const stays = replicas.length === 1 && replicas[0] === place
  return stays ? undefined : refuse(`includes brokers other than ${place}, where the only copy has to stay.`)
}

export const alterPartitionReassignmentsApi = serve(alterPartitionReassignments, [0, 1], (request, context) => ({
  allowReplicationFactorChange: request.allowReplicationFactorChange,
  errorCode: 0,
  // As the real controller, whatever it may mean by it.
  errorMessage: request.topics.length === 0 ? '' : null,
  responses: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const refusal = reassign(name, partitionIndex, replicas, context)
      return { partitionIndex, errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null }
    }),
  })),
}))
