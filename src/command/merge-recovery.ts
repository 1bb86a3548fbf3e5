// What a kill has left of a merge: one whose transaction was committed is noted, with what it has written; any other is taken
// back and told so. There is at most one, since they are carried out one after the other.
//
// After a power cut the transaction log may know less than the targets do: a marker that commits in one of them proves that all
// was decided, and what is open in the others is ended here. Where records are gone the vector stays as it was, so that the next
// merge brings them again.

import { Corruption, DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { parseMarker } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { conflictsTopic } from '../branch/json-topics.ts'
import { eventOfMerge } from '../branch/merge-event.ts'
import type { MergeBeginRecord, MergedPartition, MergedTopic, MergeRecord } from '../branch/merge-records.ts'
import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import type { Log } from '../log/log.ts'
import { borrow } from '../storage/file.ts'
import type { History } from './history.ts'
import type { MergeTransaction } from './merge-transaction.ts'

/** What a target holds of the transaction. */
type Found = {
  readonly partition: Partition
  readonly merged: MergedPartition
  /** It is damaged, and will be the next time: others do not wait for it. */
  isUnreadable: boolean
  first?: number
  last?: number
  count: number
  isCommitted: boolean
}

export async function recoverMerges(broker: Broker, history: History, transaction: MergeTransaction): Promise<void> {
  for (const begin of [...broker.lineage.begun.values()]) {
    const found = begin.topics.map((topic) => topic.partitions.map((merged) => look(topic, merged, begin, broker)))
    const isDecided = await transaction.wasCommitted(begin)
    const isCommitted = isDecided || found.flat().some((one) => one?.isCommitted)
    // A new producer takes back what the one before has left open.
    if (!isCommitted) await transaction.begin()
    await endOpen(found.flat(), begin, isCommitted ? 'COMMIT' : 'ABORT', broker)
    if (isCommitted) {
      const record = completed(begin, found, broker)
      await broker.noteLineage([record])
      if (!history.hasResult(begin.id)) await history.write(eventOfMerge(record))
    } else {
      await broker.noteLineage([{ v: 1, type: 'merge-aborted', id: begin.id }])
      await history.write(eventOfMerge(begin, 'aborted'))
    }
  }
}

function look(topic: MergedTopic, merged: MergedPartition, begin: MergeBeginRecord, broker: Broker): Found | undefined {
  const partition = broker.topicById(topic.intoId)?.partitions[merged.partition]
  if (partition === undefined) return undefined
  const found: Found = { partition, merged, isUnreadable: false, count: 0, isCommitted: false }
  try {
    lookInto(partition.log, found, begin)
  } catch (cause) {
    if (!(cause instanceof Corruption || cause instanceof DamagedRecords)) throw cause
    console.error(
      `What the merge ${begin.id} has written to ${topic.into}-${merged.partition} is not read: ${cause.message}`,
    )
    found.isUnreadable = true
  }
  return found
}

function lookInto(log: Log, found: Found, begin: MergeBeginRecord): void {
  const { merged } = found
  for (let at = Math.max(merged.end, log.logStartOffset); at < log.logEndOffset; ) {
    const start = at
    borrow(log.read(at, 1024 * 1024, log.logEndOffset, true), (bytes) => {
      for (const position of batch.iterateBatches(bytes)) {
        at = Math.max(at, batch.nextOffset(bytes, position))
        if (batch.producerId(bytes, position) === begin.producerId) note(found, bytes, position, begin.producerEpoch)
      }
    })
    if (at === start) break
  }
}

function note(found: Found, bytes: Buffer, position: number, epoch: number): void {
  if (batch.isControl(bytes, position)) {
    // It bears the next epoch; one that was written at a start, the same.
    const isOurs = [epoch, epoch + 1].includes(batch.producerEpoch(bytes, position))
    for (const { key, value } of readRecords(bytes, position)) {
      if (isOurs && parseMarker(key, value)?.type === 'COMMIT') found.isCommitted = true
    }
  } else if (batch.producerEpoch(bytes, position) === epoch) {
    found.first ??= batch.baseOffset(bytes, position)
    found.last = batch.lastOffset(bytes, position)
    found.count += batch.recordCount(bytes, position)
  }
}

/** Nobody else would, where the transaction log has lost what it knew. */
async function endOpen(
  found: readonly (Found | undefined)[],
  { producerId, producerEpoch }: MergeBeginRecord,
  type: 'COMMIT' | 'ABORT',
  broker: Broker,
): Promise<void> {
  const conflicts = broker.topic(conflictsTopic)?.partitions ?? []
  for (const partition of [...found.flatMap((one) => one?.partition ?? []), ...conflicts]) {
    if (partition.offline !== undefined) continue
    if (!partition.hasOpenTransaction(producerId, producerEpoch)) continue
    await partition.appendMarker({ type, producerId, producerEpoch, coordinatorEpoch: 0, transactionVersion: 1 })
  }
}

function completed(begin: MergeBeginRecord, found: readonly (Found | undefined)[][], broker: Broker): MergeRecord {
  const { type: _, producerId: _id, producerEpoch: _epoch, topics, ...rest } = begin
  const count = found.flat().reduce((sum, one) => sum + (one?.count ?? 0), 0)
  const isWhole = count >= begin.counts.written
  const places = topics.map((topic, i) => ({
    ...topic,
    partitions: topic.partitions.map((merged, at) => {
      const one = found[i]?.[at]
      if (one === undefined) return merged
      const { first, last, partition, isUnreadable } = one
      const before = broker.lineage.known(topic.intoId, merged.partition)
      // What it has of the merge nobody can say, nor merge into it.
      if (isUnreadable) return { ...merged, known: before }
      const written = first === undefined || last === undefined ? {} : { first, last }
      const { known } = merged
      const learnt = isWhole ? { known } : { known: before, loose: known }
      return { ...merged, ...learnt, ...written, end: partition.logEndOffset }
    }),
  }))
  return { ...rest, type: 'merge', topics: places, counts: { ...begin.counts, written: count } }
}
