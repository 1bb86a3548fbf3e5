// AlterPartitionReassignments: moves partitions between the nodes of the cluster (KIP-455). All nodes have the same bytes,
// so that what is asked for is done at once and nothing is ever under way.

import { Refusal } from '../../protocol/errors.ts'
import { alterPartitionReassignments } from '../../protocol/messages/45-alter-partition-reassignments.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { type Context, serve } from './api.ts'

async function reassign(
  topic: string,
  index: number,
  replicas: readonly number[] | null,
  mayResize: boolean,
  { broker }: Context,
) {
  const found = broker.topic(topic)
  if (found === undefined) {
    return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find a topic named ${topic}.`)
  }
  const partition = found.partitions[index]
  if (partition === undefined) {
    return new Refusal('UNKNOWN_TOPIC_OR_PARTITION', `Unable to find partition ${topic}:${index}.`)
  }
  if (replicas === null) return new Refusal('NO_REASSIGNMENT_IN_PROGRESS')
  const refuse = (why: string) => new Refusal('INVALID_REPLICA_ASSIGNMENT', `The manual partition assignment ${why}`)
  if (replicas.length === 0) return refuse('includes an empty replica list.')
  const twice = [...replicas].sort((a, b) => a - b).find((id, i, sorted) => id === sorted[i - 1])
  if (twice !== undefined) return refuse(`includes the broker ${twice} more than once.`)
  const { placement } = broker
  const unknown = replicas.find((id) => !placement.has(id))
  if (unknown !== undefined) return refuse(`includes broker ${unknown}, but no such broker is registered.`)
  if (!replicas.some(placement.isRunning)) return refuse('includes no broker that is running.')
  const { length } = partition.leadership.replicas
  if (!mayResize && replicas.length !== length) {
    const message = `The replication factor is changed from ${length} to ${replicas.length}`
    return new Refusal('INVALID_REPLICATION_FACTOR', message)
  }
  try {
    await broker.leaderships.reassign([{ topic: found, partition, replicas }])
    return undefined
  } catch (cause) {
    return storageRefusal(cause)
  }
}

export const alterPartitionReassignmentsApi = serve(alterPartitionReassignments, [0, 1], async (request, context) => ({
  allowReplicationFactorChange: request.allowReplicationFactorChange,
  errorCode: 0,
  // As the real controller, whatever it may mean by it.
  errorMessage: request.topics.length === 0 ? '' : null,
  responses: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async ({ partitionIndex, replicas }) => {
          const mayResize = request.allowReplicationFactorChange
          const refusal = await reassign(name, partitionIndex, replicas, mayResize, context)
          return { partitionIndex, errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null }
        }),
      ),
    })),
  ),
}))
