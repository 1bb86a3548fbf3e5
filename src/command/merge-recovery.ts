// What a kill has left of a merge: one whose transaction was committed is noted, with what it has written; any other is taken
// back and told so. There is at most one, since they are carried out one after the other.

import * as batch from '../../protocol/records/batch.ts'
import { eventOfMerge } from '../branch/merge-event.ts'
import type { MergeBeginRecord, MergedPartition, MergeRecord } from '../branch/merge-records.ts'
import type { OwnProducer } from '../branch/merge-writer.ts'
import { eachBatchAtOnce } from '../branch/reading.ts'
import type { Broker } from '../broker/broker.ts'
import type { History } from './history.ts'
import type { MergeTransaction } from './merge-transaction.ts'

export async function recoverMerges(broker: Broker, history: History, transaction: MergeTransaction): Promise<void> {
  for (const begin of [...broker.lineage.begun.values()]) {
    if (await transaction.wasCommitted(begin)) {
      const record = completed(begin, broker)
      await broker.noteLineage([record])
      if (!history.hasResult(begin.id)) await history.write(eventOfMerge(record))
      continue
    }
    // A new producer takes back what the one before has left open.
    await transaction.begin()
    await broker.noteLineage([{ v: 1, type: 'merge-aborted', id: begin.id }])
    await history.write(eventOfMerge(begin, 'aborted'))
  }
}

function completed(begin: MergeBeginRecord, broker: Broker): MergeRecord {
  const { type: _, producerId: _id, producerEpoch: _epoch, topics, ...rest } = begin
  const found = topics.map((topic) => ({
    ...topic,
    partitions: topic.partitions.map((partition) => writtenTo(partition, topic.intoId, begin, broker)),
  }))
  return { ...rest, type: 'merge', topics: found }
}

/** The transaction's records in a partition: the one place that knows them. */
function writtenTo(merged: MergedPartition, topicId: string, producer: OwnProducer, broker: Broker): MergedPartition {
  const log = broker.topicById(topicId)?.partitions[merged.partition]?.log
  if (log === undefined) return merged
  let first: number | undefined
  let last = -1
  eachBatchAtOnce(log, merged.end, log.logEndOffset, (bytes, position) => {
    const isOurs =
      batch.producerId(bytes, position) === producer.producerId &&
      batch.producerEpoch(bytes, position) === producer.producerEpoch
    if (!isOurs) return
    first ??= batch.baseOffset(bytes, position)
    last = batch.lastOffset(bytes, position)
  })
  return { ...merged, end: log.logEndOffset, ...(first === undefined ? {} : { first, last }) }
}
