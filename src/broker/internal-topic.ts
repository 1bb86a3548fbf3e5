// A topic of the broker's own that holds state as keyed records: appended to by a coordinator, read whole at its start.

import type { Refusal } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { parseMarker } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { borrow } from '../storage/file.ts'
import type { Broker, NewTopic } from './broker.ts'
import type { Ending, Partition } from './partition.ts'
import { TopicOnDemand } from './topic-on-demand.ts'

export type KeyedRecord = { key: Buffer; value: Buffer | null }
type OwnProducer = { readonly producerId: number; readonly producerEpoch: number }
/** The producer is that of a transaction, if the record is part of one. */
type Visit = (key: Buffer, value: Buffer | null, timestampMs: number, producerId: number | undefined) => void
type Settled = (producerId: number, outcome: 'commit' | 'abort') => void

const readBytes = 1024 * 1024

export class InternalTopic {
  readonly #broker: Broker
  readonly #wanted: NewTopic
  readonly #made: TopicOnDemand

  /** Made at the first append; until then nobody sees it. */
  constructor(broker: Broker, wanted: NewTopic) {
    this.#broker = broker
    this.#wanted = wanted
    this.#made = new TopicOnDemand(broker, wanted)
    broker.own.reserve(wanted)
  }

  get exists(): boolean {
    return this.#made.topic !== undefined
  }

  /** Appends records as one batch; resolves when they are as durable as the topic promises. Rejects with StorageError. */
  async append(partition: number, records: readonly KeyedRecord[], producer?: OwnProducer): Promise<void> {
    const topic = await this.#made.make()
    const timestamp = this.#broker.clock.now()
    const log = topic.partitions[partition]!
    const options = producer === undefined ? {} : { ...producer, isTransactional: true }
    log.appendOwn(encodeBatch({ ...options, records: records.map(({ key, value }) => ({ key, value, timestamp })) }))
    await log.flushed()
  }

  /** Ends a transaction in a partition; what is not there has nothing to end. */
  async appendMarker(partition: number, ending: Ending): Promise<Refusal | undefined> {
    return this.#made.topic?.partitions[partition]?.appendMarker(ending)
  }

  /** Visits every record of a partition in order, and every end of a transaction. */
  replay(partition: number, visit: Visit, settled?: Settled): void {
    const log = this.#made.topic?.partitions[partition]
    if (log !== undefined) replay(log, visit, settled)
  }

  /** Where the next record of a partition goes. */
  endOffset(partition: number): number {
    return this.#made.topic?.partitions[partition]?.logEndOffset ?? 0
  }

  /** Lets go of what lies below, once all above it is on stable storage. Rejects with StorageError. */
  async deleteBelow(partition: number, offset: number): Promise<void> {
    const log = this.#made.topic?.partitions[partition]
    if (log === undefined || offset <= log.logStartOffset) return
    await log.flush()
    log.log.deleteBelow(offset)
  }

  get partitionCount(): number {
    return this.#made.topic?.partitions.length ?? this.#wanted.partitions
  }
}

function replay(partition: Partition, visit: Visit, settled?: Settled): void {
  const { log } = partition
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const start = offset
    borrow(log.read(offset, readBytes, log.logEndOffset, true), (bytes) => {
      for (const position of batch.iterateBatches(bytes)) {
        const producerId = batch.isTransactional(bytes, position) ? batch.producerId(bytes, position) : undefined
        for (const { key, value, offset: at, timestamp } of readRecords(bytes, position)) {
          if (at >= offset && key !== null) {
            const ending = batch.isControl(bytes, position) ? parseMarker(key, value) : undefined
            if (ending !== undefined) settled?.(producerId!, ending.type === 'COMMIT' ? 'commit' : 'abort')
            else if (!batch.isControl(bytes, position)) visit(key, value, timestamp, producerId)
          }
          offset = at + 1
        }
        // What compaction left of a batch may be nothing but its place.
        offset = Math.max(offset, batch.nextOffset(bytes, position))
      }
    })
    if (offset === start) return
  }
}
