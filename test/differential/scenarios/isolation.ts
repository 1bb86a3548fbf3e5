// What readers of committed data see while transactions are open, when they are decided and when they were taken back: in
// every version of Fetch, ListOffsets and DescribeProducers.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../../protocol/messages/24-add-partitions-to-txn.ts'
import { endTxn } from '../../../protocol/messages/26-end-txn.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'

const timeoutMs = 5000
const topic = 'iso'

/** What the broker says while it is not ready yet. */
async function patiently(ask: () => Promise<number>): Promise<void> {
  let errorCode = -1
  for (let tries = 0; tries < 300 && errorCode !== 0; tries++) {
    errorCode = await ask()
    if (errorCode !== 0) await pause(20)
  }
  if (errorCode !== 0) throw new Error(`answered with ${errorCode}`)
}

class Writer {
  readonly #side: Side
  readonly #id: string
  #held = { producerId: -1, producerEpoch: -1 }
  #sequence = 0

  constructor(side: Side, id: string) {
    this.#side = side
    this.#id = id
  }

  async open(): Promise<this> {
    await patiently(async () => {
      const { coordinators } = await this.#side.quiet(findCoordinator, 4, { keyType: 1, coordinatorKeys: [this.#id] })
      if (coordinators[0]!.errorCode !== 0) return coordinators[0]!.errorCode
      const body = { transactionalId: this.#id, transactionTimeoutMs: 60_000 }
      const { errorCode, producerId, producerEpoch } = await this.#side.quiet(initProducerId, 4, body)
      this.#held = { producerId, producerEpoch }
      if (errorCode === 0) this.#side.rememberProducer(producerId, `<${this.#id}>`)
      return errorCode
    })
    return this
  }

  async write(...times: number[]): Promise<void> {
    const { producerId, producerEpoch } = this.#held
    const body = {
      v3AndBelowTransactionalId: this.#id,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [0] }],
    }
    await patiently(async () => {
      const { resultsByTopicV3AndBelow: results } = await this.#side.quiet(addPartitionsToTxn, 3, body)
      return results[0]!.resultsByPartition[0]!.partitionErrorCode
    })
    const records = batchOf(
      times.map((time) => ({ key: 'k', value: 'v', timestamp: this.#side.base + time })),
      { ...this.#held, baseSequence: this.#sequence, isTransactional: true },
    )
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    await patiently(async () => {
      const sent = { transactionalId: this.#id, acks: -1, timeoutMs, topicData }
      return (await this.#side.quiet(produce, 9, sent)).responses[0]!.partitionResponses[0]!.errorCode
    })
    this.#sequence += times.length
  }

  /** Until the marker stands. */
  async end(committed: boolean): Promise<void> {
    const body = { transactionalId: this.#id, ...this.#held, committed }
    await patiently(async () => (await this.#side.quiet(endTxn, 3, body)).errorCode)
    await patiently(async () => {
      const asked = { topics: [{ name: topic, partitionIndexes: [0] }] }
      const { topics } = await this.#side.quiet(describeProducers, 0, asked)
      const { activeProducers } = topics[0]!.partitions[0]!
      const mine = activeProducers.find(({ producerId }) => producerId === this.#held.producerId)
      return mine === undefined || mine.currentTxnStartOffset === -1 ? 0 : 1
    })
    // Markers have times, and which one has the largest is asked: none shares its millisecond with another.
    await pause(20)
  }
}

export async function isolationScenario(side: Side): Promise<void> {
  const topicId = await side.topic(topic, 2)
  const first = await new Writer(side, 'iso-1').open()
  const second = await new Writer(side, 'iso-2').open()
  const look = async (label: string, ...offsets: number[]) => {
    for (const isolationLevel of [0, 1]) {
      for (const timestamp of [-1, -2, -3, side.base + 15, side.base + 25, side.base + 45]) {
        const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }]
        const at = timestamp > 0 ? `base + ${timestamp - side.base}` : timestamp
        const body = { replicaId: -1, isolationLevel, topics, timeoutMs }
        await side.each(`${label}: isolation ${isolationLevel} at ${at}`, listOffsets, body)
      }
      for (const fetchOffset of offsets) {
        const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }]
        const body = { maxWaitMs: 0, minBytes: 0, isolationLevel, forgottenTopicsData: [] }
        const topics = [{ topic, topicId, partitions }]
        await side.each(`${label}: isolation ${isolationLevel} from ${fetchOffset}`, fetch, { ...body, topics })
      }
    }
    const asked = { topics: [{ name: topic, partitionIndexes: [0, 1, 7, -1, 0] }] }
    await side.each(`${label}: producers`, describeProducers, asked)
  }
  await look('empty', 0)
  await first.write(10)
  await second.write(30, 20)
  await first.write(40)
  await look('both open', 0, 1, 2, 4, 5)
  await second.end(false)
  await look('the later one taken back', 0, 1, 4, 5)
  await first.end(true)
  await look('the earlier one committed', 0, 1, 2, 3, 4, 5, 6, 7)
  await first.write(50)
  await second.write(15)
  await look('both open again', 0, 4, 6, 8)
  await first.end(false)
  await second.end(false)
  await look('both taken back', 0, 3, 5, 6, 7, 8, 9, 10)
  await first.write(60)
  await side.quiet(deleteRecords, 2, {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 3 }] }],
    timeoutMs,
  })
  await look('the beginning deleted, one open', 2, 3, 7, 10)
  await side.quiet(deleteRecords, 2, {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: -1 }] }],
    timeoutMs,
  })
  await look('all deleted, one open', 11, 12)
  await first.end(true)
  await look('all deleted', 11, 12)
  await side.each('producers of what is not there', describeProducers, {
    topics: [
      { name: 'iso-none', partitionIndexes: [0, 1] },
      { name: 'a/b', partitionIndexes: [0] },
      { name: topic, partitionIndexes: [] },
    ],
  })
}
