// WriteTxnMarkers: ends a transaction in partitions. Coordinators ask leaders for it; so does whoever aborts a transaction
// that hangs, for no coordinator knows of it (KIP-664).

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { writeTxnMarkers } from '../../protocol/messages/27-write-txn-markers.ts'
import type { Element, Request } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import { type Context, serve } from './api.ts'

type Asked = Element<Request<typeof writeTxnMarkers>, 'markers'>

const offsetsTopic = '__consumer_offsets'

export const writeTxnMarkersApi = serve(writeTxnMarkers, [1, 2], async ({ markers }, context) => ({
  markers: await Promise.all(markers.map((marker) => write(marker, context))),
}))

async function write(asked: Asked, context: Context) {
  const topics = asked.topics.map(async ({ name, partitionIndexes }) => ({
    name,
    partitions: await Promise.all(
      partitionIndexes.map(async (partitionIndex) => ({
        partitionIndex,
        errorCode: errors[await writeOne(asked, name, partitionIndex, context)].code,
      })),
    ),
  }))
  return { producerId: asked.producerId, topics: await Promise.all(topics) }
}

async function writeOne(asked: Asked, name: string, index: number, context: Context): Promise<ErrorName> {
  const partition: Partition | undefined = context.broker.topic(name)?.partitions[index]
  if (partition === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  if (partition.leader !== context.node) return 'NOT_LEADER_OR_FOLLOWER'
  const { producerId, producerEpoch, coordinatorEpoch, transactionVersion } = asked
  // The real broker stumbles over it; whatever the word for it, no such batch may come into a log.
  if (producerId < 0 || producerEpoch < 0) return 'UNKNOWN_SERVER_ERROR'
  const type = asked.transactionResult ? 'COMMIT' : 'ABORT'
  const marker = { type, producerId, producerEpoch, coordinatorEpoch, transactionVersion } as const
  const refusal =
    name === offsetsTopic
      ? await context.groups.transactions.settle(index, marker)
      : await partition.appendMarker(marker)
  return refusal?.error ?? 'NONE'
}
