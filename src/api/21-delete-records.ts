// DeleteRecords: moves the log start of partitions up.

import { Refusal } from '../../protocol/errors.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { toldTopics } from '../branch/json-topics.ts'
import type { Partition } from '../broker/partition.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { refuseOnView } from '../broker/view-refusal.ts'
import { type Context, serve } from './api.ts'
import { checkLeader } from './leader-epoch.ts'

/** Asks for the high watermark. */
const toTheEnd = -1

/** Somebody writes or packs all the time: then what goes is counted at once. */
const triesMax = 3

type Place = { readonly name: string; readonly index: number; readonly asked: number }

/** Where its log is to start, or the error. */
function cutOf(
  { name, index, asked }: Place,
  { broker, node }: Context,
): { partition: Partition; offset: number } | Refusal {
  const topic = broker.topic(name)
  const partition = topic?.partitions[index]
  if (topic === undefined || partition === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  if (topic.isInternal && !toldTopics.has(name)) return new Refusal('INVALID_TOPIC_EXCEPTION')
  const wrong = checkLeader(-1, partition, node)
  if (wrong !== undefined) return wrong
  const onView = refuseOnView(topic, 'delete records of')
  if (onView !== undefined) return onView
  // A compacted topic promises the newest value of every key, and the history of branches all of it.
  const keeps = !topic.config.cleanupPolicy.delete || toldTopics.has(name)
  if (keeps || topic.config.protection === 'frozen') return new Refusal('POLICY_VIOLATION')
  const offset = asked === toTheEnd ? partition.highWatermark : asked
  return offset < 0 || offset > partition.highWatermark ? new Refusal('OFFSET_OUT_OF_RANGE') : { partition, offset }
}

/** While a merge puts files in the place of others, records that were deleted from those would come back. */
async function mayBeTrimmed({ name, index }: Place, { broker }: Context): Promise<void> {
  for (;;) {
    const closed = broker.topic(name)?.partitions[index]?.gate.closed
    if (closed === undefined) return
    await closed
  }
}

/** Revisions that go are counted before, beside everything else: so all is looked at anew when that is done. */
async function trim(place: Place, context: Context): Promise<number | Refusal> {
  try {
    let { asked } = place
    for (let tries = 0; ; tries++) {
      await mayBeTrimmed(place, context)
      const cut = cutOf({ ...place, asked }, context)
      if (cut instanceof Refusal) return cut
      const { partition, offset } = cut
      const counted = tries < triesMax ? partition.numbering.countBelow(offset) : undefined
      if (counted === undefined) {
        partition.log.deleteBelow(offset)
        return partition.logStartOffset
      }
      // What has come meanwhile stays.
      asked = offset
      await counted.catch((cause: unknown) => {
        storageRefusal(cause)
        // Whoever takes it says why it cannot be counted.
        tries = triesMax
      })
    }
  } catch (cause) {
    return storageRefusal(cause)
  }
}

export const deleteRecordsApi = serve(deleteRecords, [0, 2], async (request, context) => {
  const topics = []
  // One by one, or each would have its slices between those of the others.
  for (const { name, partitions } of request.topics) {
    const results = []
    for (const { partitionIndex, offset } of partitions) {
      const result = await trim({ name, index: partitionIndex, asked: offset }, context)
      if (result instanceof Refusal) results.push({ partitionIndex, lowWatermark: -1, errorCode: result.code })
      else results.push({ partitionIndex, lowWatermark: result, errorCode: 0 })
    }
    topics.push({ name, partitions: results })
  }
  return { topics }
})
