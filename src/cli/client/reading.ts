// Reads a partition from an offset to its end as a consumer of committed records does: aborted ones are left out here, for
// a broker only says which they are.

import { fetch } from '../../../protocol/messages/01-fetch.ts'
import * as batch from '../../../protocol/records/batch.ts'
import { parseMarker } from '../../../protocol/records/control.ts'
import { readRecords, type StoredRecord } from '../../../protocol/records/record.ts'
import { type KafkaClient, refuse, type TopicSeen } from './kafka-client.ts'

export type RecordRead = StoredRecord & { readonly partition: number }

const fetchBytes = 4 * 1024 * 1024

export type Range = {
  readonly from: number
  /** Behind the last that is wanted; absent: it goes on for ever. */
  readonly until?: number
  /** How long a broker may wait for more. */
  readonly waitMs?: number
}

/** Committed records in order. Without `until` it never ends by itself. */
export async function* readPartition(
  client: KafkaClient,
  topic: TopicSeen,
  partition: number,
  { from, until = Number.POSITIVE_INFINITY, waitMs = 500 }: Range,
): AsyncGenerator<RecordRead, void, undefined> {
  const leader = topic.leaders.get(partition) ?? -1
  for (let offset = from; offset < until; ) {
    const { responses } = await client.askLeader(leader, fetch, 12, {
      replicaId: -1,
      maxWaitMs: waitMs,
      minBytes: 1,
      maxBytes: fetchBytes,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: topic.name, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: fetchBytes }] }],
      forgottenTopicsData: [],
      rackId: '',
    })
    const answer = responses[0]!.partitions[0]!
    refuse(answer.errorCode)
    const records = answer.records ?? Buffer.alloc(0)
    const bytes = Buffer.isBuffer(records) ? records : Buffer.concat(records)
    const isAborted = abortedIn(answer.abortedTransactions ?? [])
    for (const position of batch.iterateBatches(bytes)) {
      const skips = isAborted(bytes, position)
      if (!skips && !batch.isControl(bytes, position)) {
        for (const record of readRecords(bytes, position)) {
          if (record.offset >= offset && record.offset < until) yield { ...record, partition }
        }
      }
      offset = Math.max(offset, batch.nextOffset(bytes, position))
    }
  }
}

/** KIP-98: a producer's batches are aborted from the first offset told to the marker that ends them. */
function abortedIn(told: readonly { producerId: number; firstOffset: number }[]) {
  const left = [...told].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborted = new Set<number>()
  return (bytes: Buffer, position: number): boolean => {
    if (!batch.isTransactional(bytes, position)) return false
    const producerId = batch.producerId(bytes, position)
    while (left[0] !== undefined && left[0].firstOffset <= batch.lastOffset(bytes, position)) {
      aborted.add(left.shift()!.producerId)
    }
    if (!batch.isControl(bytes, position)) return aborted.has(producerId)
    for (const { key, value } of readRecords(bytes, position)) {
      if (key !== null && parseMarker(key, value)?.type === 'ABORT') aborted.delete(producerId)
    }
    return true
  }
}
