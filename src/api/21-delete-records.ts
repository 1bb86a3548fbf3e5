// DeleteRecords: moves the log start of partitions up.

import { Refusal } from '../../protocol/errors.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { toldTopics } from '../branch/json-topics.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { refuseOnView } from '../broker/view-refusal.ts'
import { type Context, serve } from './api.ts'
import { checkLeader } from './leader-epoch.ts'

/** Asks for the high watermark. */
const toTheEnd = -1

function trim(name: string, index: number, asked: number, { broker, node }: Context): number | Refusal {
  const topic = broker.topic(name)
  const partition = topic?.partitions[index]
  if (topic === undefined || partition === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  const wrong = checkLeader(-1, partition, node)
  if (wrong !== undefined) return wrong
  const onView = refuseOnView(topic, 'delete records of')
  if (onView !== undefined) return onView
  // A compacted topic promises the newest value of every key, and the history of branches all of it.
  const keeps = !topic.config.cleanupPolicy.delete || toldTopics.has(name)
  if (keeps || topic.config.protection === 'frozen') return new Refusal('POLICY_VIOLATION')
  try {
    const offset = asked === toTheEnd ? partition.highWatermark : asked
    if (offset < 0 || offset > partition.highWatermark) return new Refusal('OFFSET_OUT_OF_RANGE')
    partition.log.deleteBelow(offset)
    return partition.logStartOffset
  } catch (cause) {
    return storageRefusal(cause)
  }
}

export const deleteRecordsApi = serve(deleteRecords, [0, 2], (request, context) => ({
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) => {
      const result = trim(name, partitionIndex, offset, context)
      if (result instanceof Refusal) return { partitionIndex, lowWatermark: -1, errorCode: result.code }
      return { partitionIndex, lowWatermark: result, errorCode: 0 }
    }),
  })),
}))
