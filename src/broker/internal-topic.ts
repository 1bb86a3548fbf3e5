// A topic of the broker's own that holds state as keyed records: appended to by a coordinator, read whole at its start.

import { iterateBatches } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { borrow } from '../storage/file.ts'
import type { Broker, NewTopic } from './broker.ts'
import type { Partition } from './partition.ts'
import type { Topic } from './topic.ts'

export type KeyedRecord = { key: Buffer; value: Buffer | null }

const readBytes = 1024 * 1024

export class InternalTopic {
  readonly #broker: Broker
  readonly #wanted: NewTopic
  #making: Promise<Topic> | undefined

  /** Made at the first append; until then nobody sees it. */
  constructor(broker: Broker, wanted: NewTopic) {
    this.#broker = broker
    this.#wanted = wanted
    broker.reserve(wanted)
  }

  get exists(): boolean {
    return this.#broker.topic(this.#wanted.name) !== undefined
  }

  async #topic(): Promise<Topic> {
    const topic = this.#broker.topic(this.#wanted.name)
    if (topic !== undefined) return topic
    this.#making ??= this.#broker.createTopics([this.#wanted]).then(([made]) => made!)
    try {
      return await this.#making
    } finally {
      this.#making = undefined
    }
  }

  /** Appends records as one batch; resolves when they are as durable as the topic promises. Rejects with StorageError. */
  async append(partition: number, records: readonly KeyedRecord[]): Promise<void> {
    const topic = await this.#topic()
    const timestamp = this.#broker.clock.now()
    const log = topic.partitions[partition]!
    log.appendOwn(encodeBatch({ records: records.map(({ key, value }) => ({ key, value, timestamp })) }))
    await log.flushed()
  }

  /** Visits every record of a partition in order. */
  replay(partition: number, visit: (key: Buffer, value: Buffer | null, timestampMs: number) => void): void {
    const log = this.#broker.topic(this.#wanted.name)?.partitions[partition]
    if (log !== undefined) replay(log, visit)
  }

  get partitionCount(): number {
    return this.#broker.topic(this.#wanted.name)?.partitions.length ?? this.#wanted.partitions
  }
}

function replay(partition: Partition, visit: (key: Buffer, value: Buffer | null, timestampMs: number) => void): void {
  const { log } = partition
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const start = offset
    borrow(log.read(offset, readBytes, log.logEndOffset, true), (bytes) => {
      for (const position of iterateBatches(bytes)) {
        for (const { key, value, offset: at, timestamp } of readRecords(bytes, position)) {
          if (at >= offset && key !== null) visit(key, value, timestamp)
          offset = at + 1
        }
      }
    })
    if (offset === start) return
  }
}
