// A transactional producer that says exactly what it is told, in the words of before or after KIP-890; and a reader of
// committed records as clients are: it leaves out what the broker calls aborted.

import { errorName } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { txnOffsetCommit } from '../../protocol/messages/28-txn-offset-commit.ts'
import * as batch from '../../protocol/records/batch.ts'
import { parseMarker } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { ApiTable } from '../../protocol/schema.ts'
import { type Body, batchOf, WireClient } from '../wire-client.ts'

/** The broker went away: nobody knows what became of the request. */
export class Gone extends Error {}

export async function ask<A extends ApiTable>(client: WireClient, table: A, version: number, body: Body<A>) {
  const answer = await client.attempt(table, version, body)
  if (typeof answer === 'string') throw new Gone(`${table.name}: ${answer}`)
  return answer
}

const must = (errorCode: number, what: string): void => {
  if (errorCode !== 0) throw new Error(`${what}: ${errorName(errorCode)}`)
}

export class WireProducer {
  readonly #client: WireClient
  readonly #id: string
  /** KIP-890: partitions come along with the first batch, and every end brings a new epoch. */
  readonly #bumps: boolean
  #producerId = -1
  #producerEpoch = -1
  /** Next sequence by partition. */
  readonly #sequences = new Map<string, number>()
  #added = new Set<string>()

  private constructor(client: WireClient, id: string, bumps: boolean) {
    this.#client = client
    this.#id = id
    this.#bumps = bumps
  }

  /** Connects and takes over the id, whatever was left open under it. */
  static async open(bootstrap: string, id: string, { bumps = true, timeoutMs = 60_000 } = {}): Promise<WireProducer> {
    const producer = new WireProducer(await WireClient.open(bootstrap), id, bumps)
    for (;;) {
      const body = { transactionalId: id, transactionTimeoutMs: timeoutMs }
      const answer = await ask(producer.#client, initProducerId, 4, body)
      if (errorName(answer.errorCode) === 'CONCURRENT_TRANSACTIONS') continue
      must(answer.errorCode, `InitProducerId of ${id}`)
      producer.#become(answer)
      return producer
    }
  }

  #become({ producerId, producerEpoch }: { producerId: number; producerEpoch: number }): void {
    if (producerId === this.#producerId && producerEpoch === this.#producerEpoch) return
    this.#producerId = producerId
    this.#producerEpoch = producerEpoch
    this.#sequences.clear()
  }

  get #who() {
    return { transactionalId: this.#id, producerId: this.#producerId, producerEpoch: this.#producerEpoch }
  }

  async send(topic: string, index: number, ...values: string[]): Promise<void> {
    const place = `${topic}-${index}`
    if (!this.#bumps && !this.#added.has(place)) await this.#add(topic, index)
    const baseSequence = this.#sequences.get(place) ?? 0
    const { transactionalId, ...producer } = this.#who
    const records = batchOf(values, { ...producer, baseSequence, isTransactional: true })
    const topicData = [{ name: topic, partitionData: [{ index, records }] }]
    const version = this.#bumps ? 12 : 11
    const answer = await ask(this.#client, produce, version, { transactionalId, acks: -1, timeoutMs: 9000, topicData })
    must(answer.responses[0]!.partitionResponses[0]!.errorCode, `Produce to ${place}`)
    this.#sequences.set(place, baseSequence + values.length)
  }

  async #add(name: string, index: number): Promise<void> {
    const { transactionalId, producerId, producerEpoch } = this.#who
    const answer = await ask(this.#client, addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name, partitions: [index] }],
    })
    must(answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode, 'AddPartitionsToTxn')
    this.#added.add(`${name}-${index}`)
  }

  async sendOffset(groupId: string, topic: string, committedOffset: number, committedMetadata = ''): Promise<void> {
    if (!this.#bumps)
      must((await ask(this.#client, addOffsetsToTxn, 3, { ...this.#who, groupId })).errorCode, 'AddOffsets')
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata }]
    const body = { ...this.#who, groupId, topics: [{ name: topic, partitions }] }
    const answer = await ask(this.#client, txnOffsetCommit, this.#bumps ? 5 : 3, body)
    must(answer.topics[0]!.partitions[0]!.errorCode, 'TxnOffsetCommit')
  }

  async end(outcome: 'commit' | 'abort'): Promise<void> {
    const body = { ...this.#who, committed: outcome === 'commit' }
    const answer = await ask(this.#client, endTxn, this.#bumps ? 5 : 4, body)
    must(answer.errorCode, `EndTxn of ${this.#id}`)
    this.#added = new Set()
    if (this.#bumps) this.#become(answer)
  }

  close(): void {
    this.#client.close()
  }
}

/** Values of committed records from `offset` on, and where to go on: the last stable offset, when all is read. */
export async function readCommitted(client: WireClient, topic: string, partition: number, offset = 0) {
  const values: string[] = []
  for (;;) {
    const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: 1_000_000, currentLeaderEpoch: -1 }]
    const answer = await ask(client, fetch, 11, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1_000_000,
      isolationLevel: 1,
      topics: [{ topic, partitions }],
      forgottenTopicsData: [],
    })
    const found = answer.responses[0]!.partitions[0]!
    must(found.errorCode, `Fetch of ${topic}-${partition}`)
    const bytes = Buffer.isBuffer(found.records) ? found.records : Buffer.concat(found.records ?? [])
    const start = offset
    const aborted = [...(found.abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
    const open = new Set<number>()
    for (const position of batch.iterateBatches(bytes)) {
      while (aborted[0] !== undefined && aborted[0].firstOffset <= batch.lastOffset(bytes, position))
        open.add(aborted.shift()!.producerId)
      const producerId = batch.producerId(bytes, position)
      const isOut = batch.isTransactional(bytes, position) && open.has(producerId)
      for (const record of readRecords(bytes, position)) {
        if (batch.isControl(bytes, position)) {
          if (parseMarker(record.key, record.value)?.type === 'ABORT') open.delete(producerId)
        } else if (!isOut && record.offset >= offset) values.push(String(record.value))
      }
      offset = batch.nextOffset(bytes, position)
    }
    if (offset === start) return { values, offset }
  }
}
