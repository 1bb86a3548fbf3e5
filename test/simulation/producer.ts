// A producer that numbers its batches, has several of them on the way, and sends what was not answered again.

import { errorName } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { documentOf } from '../crash-lab/documents.ts'
import type { Place, Telling } from '../crash-lab/history.ts'
import { batchOf } from '../wire-client.ts'
import { type Caller, Lost, Refused } from './caller.ts'

type Batch = { call: number; count: number; bytes: Buffer }

export class Producer {
  readonly #caller: Caller
  readonly #history: Telling
  readonly #chance: () => number
  readonly #isIdempotent: boolean
  readonly #name: string
  readonly #sequences = new Map<string, number>()
  #incarnation = 0
  #producerId = -1
  #n = 0

  constructor(name: string, isIdempotent: boolean, caller: Caller, history: Telling, chance: () => number) {
    this.#name = name
    this.#isIdempotent = isIdempotent
    this.#caller = caller
    this.#history = history
    this.#chance = chance
  }

  async send(place: Place, batchCount: number): Promise<void> {
    try {
      if (this.#isIdempotent && this.#producerId < 0) await this.#begin()
    } catch (problem) {
      if (problem instanceof Lost) return
      throw problem
    }
    const batches = Array.from({ length: this.#isIdempotent ? batchCount : 1 }, () => this.#batch(place))
    const first = await this.#sendAll(place, batches)
    for (const batch of batches.slice(first)) await this.#insist(place, batch)
  }

  async #begin(): Promise<void> {
    const body = { transactionalId: null, transactionTimeoutMs: 10_000 }
    const answer = await this.#caller.insist(initProducerId, 4, body, ({ errorCode }) => [errorCode])
    this.#producerId = answer.producerId
    this.#incarnation++
    this.#sequences.clear()
  }

  #batch({ topic, partition }: Place): Batch {
    const call = this.#history.nextCall()
    const count = 1 + Math.floor(this.#chance() * 4)
    const kind = this.#isIdempotent ? 'idem' : 'plain'
    const producer = `${kind}.${topic}.${this.#name}.${this.#incarnation}`
    const from = this.#n
    this.#n += count
    const records = Array.from({ length: count }, (_, i) => ({
      key: `k${Math.floor(this.#chance() * 5)}`,
      value: documentOf(`${producer}#${from + i}`),
      timestamp: Date.now(),
      headers: [],
    }))
    const at = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(at) ?? 0
    this.#sequences.set(at, baseSequence + count)
    const numbered = { producerId: this.#producerId, producerEpoch: 0, baseSequence }
    const bytes = batchOf(records, this.#isIdempotent ? numbered : {})
    this.#history.tell({ t: 'sent', call, producer, topic, partition, from, count, isBatch: true })
    return { call, count, bytes }
  }

  #body({ topic, partition }: Place, bytes: Buffer) {
    return {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: bytes }] }],
    }
  }

  /** All at once, without waiting; how many were acknowledged before the first that was not. */
  async #sendAll(place: Place, batches: readonly Batch[]): Promise<number> {
    if (batches.length === 1) return 0
    const client = await this.#caller.client().catch(() => undefined)
    if (client === undefined) return 0
    const answers = await Promise.all(
      batches.map(({ bytes }) => client.attempt(produce, 9, this.#body(place, bytes), 8_000)),
    )
    for (const [i, answer] of answers.entries()) {
      const found = typeof answer === 'string' ? undefined : answer.responses[0]!.partitionResponses[0]!
      if (found === undefined) this.#caller.close()
      if (found?.errorCode !== 0) return i
      this.#acknowledged(batches[i]!, found.baseOffset)
    }
    return batches.length
  }

  #acknowledged({ call, count }: Batch, baseOffset: number): void {
    const offsets = Array.from({ length: count }, (_, i) => (baseOffset < 0 ? -1 : baseOffset + i))
    this.#history.tell({ t: 'acked', call, offsets })
  }

  async #insist(place: Place, batch: Batch): Promise<void> {
    const answersOf = (answer: { responses: readonly { partitionResponses: readonly { errorCode: number }[] }[] }) =>
      answer.responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode))
    const known = ['DUPLICATE_SEQUENCE_NUMBER']
    try {
      const answer = await this.#caller.insist(produce, 9, this.#body(place, batch.bytes), answersOf, known)
      const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!
      this.#acknowledged(batch, errorName(errorCode) === known[0] ? -1 : baseOffset)
    } catch (problem) {
      this.#history.tell({ t: 'unknown', call: batch.call, error: (problem as Error).message })
      if (problem instanceof Refused && this.#producerId < 0) return // given up by the batch before
      this.#producerId = -1
      if (!(problem instanceof Lost)) throw problem
    }
  }
}
