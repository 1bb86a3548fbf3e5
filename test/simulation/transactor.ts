// A producer of transactions over several topics, with a group's progress in each, in the ways of both protocols (KIP-98, KIP-890).

import { produce } from '../../protocol/messages/00-produce.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { txnOffsetCommit } from '../../protocol/messages/28-txn-offset-commit.ts'
import { documentOf } from '../crash-lab/documents.ts'
import type { Place, Telling } from '../crash-lab/history.ts'
import { batchOf } from '../wire-client.ts'
import { type Caller, Lost, Refused } from './caller.ts'

const timeoutMs = 15_000
/** What a producer is told whose transaction was ended meanwhile. */
export const outdated = [
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_TXN_STATE',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_ABORTABLE',
]

export class Transactor {
  readonly name: string
  readonly #id: string
  readonly #isNew: boolean
  readonly #caller: Caller
  readonly #history: Telling
  #held: { producerId: number; producerEpoch: number } | undefined
  readonly #sequences = new Map<string, number>()
  #count = 0

  /** `isNew`: by the second version of transactions; `id`: where it is another's too, each ends what the other has begun. */
  constructor(name: string, isNew: boolean, caller: Caller, history: Telling, id = name) {
    this.name = name
    this.#id = `txn-${id}`
    this.#isNew = isNew
    this.#caller = caller
    this.#history = history
  }

  get group(): string {
    return `progress-${this.name}`
  }

  /** `stallMs`: how long it sleeps before the end. Answers what it was told that no such producer should be. */
  async transact(places: readonly Place[], outcome: 'commit' | 'abort', stallMs: number): Promise<void> {
    const offset = ++this.#count
    const txn = `txn.${this.name}.${offset}`
    const progress = { group: this.group, topic: 'txn-a', partition: 0 }
    let isAsked = false
    try {
      this.#held ??= await this.#begin()
      let count = 0
      for (const place of places) count += await this.#write(place, txn, count)
      await this.#progress(offset)
      await this.#caller.loop.pause(stallMs)
      this.#history.tell({ t: 'ending', txn, count, ...progress, offset })
      isAsked = outcome === 'commit'
      await this.#end(outcome === 'commit')
      this.#history.tell({ t: 'ended', txn, outcome: outcome === 'commit' ? 'committed' : 'aborted' })
    } catch (problem) {
      this.#held = undefined
      const error = (problem as Error).message
      this.#history.tell({ t: 'ended', txn, outcome: isAsked ? 'unknown' : 'aborted', error })
      if (problem instanceof Lost || (problem instanceof Refused && outdated.includes(problem.error))) return
      throw problem
    }
  }

  async #begin() {
    const body = { transactionalId: this.#id, transactionTimeoutMs: timeoutMs }
    const { producerId, producerEpoch } = await this.#caller.insist(initProducerId, 4, body, (told) => [told.errorCode])
    this.#sequences.clear()
    return { producerId, producerEpoch }
  }

  async #write({ topic, partition }: Place, txn: string, first: number): Promise<number> {
    const held = this.#held!
    if (!this.#isNew) {
      const topics = [{ name: topic, partitions: [partition] }]
      const body = {
        v3AndBelowTransactionalId: this.#id,
        v3AndBelowProducerId: held.producerId,
        v3AndBelowProducerEpoch: held.producerEpoch,
        v3AndBelowTopics: topics,
      }
      await this.#caller.insist(addPartitionsToTxn, 3, body, ({ resultsByTopicV3AndBelow: results }) =>
        results.flatMap(({ resultsByPartition }) => resultsByPartition.map((of) => of.partitionErrorCode)),
      )
    }
    const count = 1 + (first % 3)
    const at = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(at) ?? 0
    this.#sequences.set(at, baseSequence + count)
    const records = Array.from({ length: count }, (_, i) => ({
      key: `k${i}`,
      value: documentOf(`${txn}#${first + i}`),
      timestamp: Date.now(),
      headers: [],
    }))
    const bytes = batchOf(records, { ...held, baseSequence, isTransactional: true })
    const body = {
      transactionalId: this.#id,
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: bytes }] }],
    }
    const known = ['DUPLICATE_SEQUENCE_NUMBER']
    await this.#caller.insist(
      produce,
      this.#isNew ? 12 : 9,
      body,
      ({ responses }) => responses.flatMap((of) => of.partitionResponses.map(({ errorCode }) => errorCode)),
      known,
    )
    return count
  }

  async #progress(committedOffset: number): Promise<void> {
    const ids = { transactionalId: this.#id, ...this.#held!, groupId: this.group }
    if (!this.#isNew) await this.#caller.insist(addOffsetsToTxn, 3, ids, ({ errorCode }) => [errorCode])
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: null }]
    const body = { ...ids, memberId: '', topics: [{ name: 'txn-a', partitions }] }
    await this.#caller.insist(txnOffsetCommit, this.#isNew ? 5 : 3, body, ({ topics }) =>
      topics.flatMap((of) => of.partitions.map(({ errorCode }) => errorCode)),
    )
  }

  async #end(committed: boolean): Promise<void> {
    const body = { transactionalId: this.#id, ...this.#held!, committed }
    const told = await this.#caller.insist(endTxn, this.#isNew ? 5 : 3, body, ({ errorCode }) => [errorCode])
    if (!this.#isNew) return
    // Each transaction has an epoch of its own (KIP-890).
    this.#held = { producerId: told.producerId, producerEpoch: told.producerEpoch }
    this.#sequences.clear()
  }
}
