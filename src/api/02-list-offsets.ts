// ListOffsets: which offset belongs to a time, or to one of the named places of a log.

import { errors, Refusal } from '../../protocol/errors.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import type { Request } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { type Context, serve } from './api.ts'
import { checkLeader } from './leader-epoch.ts'

type Asked = Request<typeof listOffsets>['topics'][number]['partitions'][number]
type Found = { offset: number; timestamp: number; leaderEpoch: number }

/** Names for places, given where a timestamp stands. Source: ListOffsetsRequest of kafka-clients 4.4.0. */
const place = {
  latest: -1,
  earliest: -2,
  maxTimestamp: -3,
  earliestLocal: -4,
  latestTiered: -5,
  earliestPending: -6,
} as const
const firstVersion = new Map<number, number>([
  [place.maxTimestamp, 7],
  [place.earliestLocal, 8],
  [place.latestTiered, 9],
  [place.earliestPending, 11],
])
const readCommitted = 1
/** The replica id of tools that compare replicas. */
const debugging = -2
const nothing: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }

/** What readers may not see yet is not named; the largest time that they may see is no answer either (as in Kafka). */
const below = (end: number, found: Found | undefined): Found =>
  found !== undefined && found.offset < end ? found : nothing

function find(partition: Partition, timestamp: number, committed: boolean): Found {
  const end = committed ? partition.lastStableOffset : partition.highWatermark
  const { leaderEpoch } = partition
  switch (timestamp) {
    case place.latest:
      return { offset: end, timestamp: -1, leaderEpoch }
    case place.earliest:
    case place.earliestLocal: {
      const epoch = partition.epochAt(partition.logStartOffset)
      return { offset: partition.logStartOffset, timestamp: -1, leaderEpoch: epoch === -1 ? leaderEpoch : epoch }
    }
    case place.maxTimestamp:
      return below(end, partition.maxTimestamp())
    case place.latestTiered: // there is no other tier
    case place.earliestPending:
      return nothing
    default:
      return partition.offsetAt(timestamp, end) ?? nothing
  }
}

function answer(topic: string, asked: Asked, committed: boolean, anyReplica: boolean, context: Context) {
  const { broker, version } = context
  const { partitionIndex, timestamp, currentLeaderEpoch } = asked
  const refuse = (refusal: Refusal) => ({ partitionIndex, errorCode: refusal.code, ...nothing })
  const since = firstVersion.get(timestamp) ?? 0
  if (timestamp < place.earliestPending || version < since) return refuse(new Refusal('UNSUPPORTED_VERSION'))
  const partition = broker.topic(topic)?.partitions[partitionIndex]
  if (partition === undefined) return refuse(new Refusal('UNKNOWN_TOPIC_OR_PARTITION'))
  const wrong = checkLeader(currentLeaderEpoch, partition, context.node, anyReplica)
  if (wrong !== undefined) return refuse(wrong)
  try {
    return { partitionIndex, errorCode: errors.NONE.code, ...find(partition, timestamp, committed) }
  } catch (cause) {
    return refuse(storageRefusal(cause))
  }
}

/** Partitions that cannot tell their end yet: what they show has to be looked at first. */
function notReady(request: Request<typeof listOffsets>, { broker }: Context): Promise<void>[] {
  return request.topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(
      ({ partitionIndex, timestamp }) => broker.topic(name)?.partitions[partitionIndex]?.ready(timestamp) ?? [],
    ),
  )
}

function respond(request: Request<typeof listOffsets>, context: Context) {
  return {
    topics: request.topics.map(({ name, partitions }) => {
      const seen = new Map<number, number>()
      for (const { partitionIndex } of partitions) seen.set(partitionIndex, (seen.get(partitionIndex) ?? 0) + 1)
      return {
        name,
        partitions: partitions.map((asked) => {
          if (seen.get(asked.partitionIndex)! > 1) {
            return { partitionIndex: asked.partitionIndex, errorCode: errors.INVALID_REQUEST.code, ...nothing }
          }
          return answer(name, asked, request.isolationLevel === readCommitted, request.replicaId === debugging, context)
        }),
      }
    }),
  }
}

export const listOffsetsApi = serve(listOffsets, [1, 11], (request, context) => {
  const slow = notReady(request, context)
  // What cannot be made ready says so when it is asked.
  return slow.length === 0 ? respond(request, context) : Promise.allSettled(slow).then(() => respond(request, context))
})
