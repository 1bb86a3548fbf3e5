// What a partition remembers of idempotent producers (KIP-98): the last five batches of each, so that a retry is
// recognised and a gap refused.

import type { ErrorName } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'

const batchesKept = 5
const sequenceMax = 0x7fff_ffff

type SentBatch = {
  firstSequence: number
  lastSequence: number
  firstOffset: number
  lastOffset: number
  timestamp: number
}

type Producer = {
  epoch: number
  /** Oldest first, at most five; empty only after a new epoch without data. */
  batches: SentBatch[]
  lastTimestamp: number
}

export type Verdict =
  | { kind: 'new' }
  /** Sent before: answered with the offsets it got then. */
  | { kind: 'duplicate'; firstOffset: number; lastOffset: number; timestamp: number }
  | { kind: 'refused'; error: ErrorName; message: string }

const fresh: Verdict = { kind: 'new' }
const nextSequence = (sequence: number): number => (sequence === sequenceMax ? 0 : sequence + 1)

export class ProducerState {
  readonly #producers = new Map<number, Producer>()

  get count(): number {
    return this.#producers.size
  }

  /** Producers in their order, for those who list them. */
  *entries(): Generator<[producerId: number, epoch: number, last: SentBatch | undefined, lastTimestamp: number]> {
    for (const [id, { epoch, batches, lastTimestamp }] of this.#producers)
      yield [id, epoch, batches.at(-1), lastTimestamp]
  }

  /** What to do with a batch that a client sent. `bytes` at `position`: a validated batch with a producer id. */
  check(bytes: Uint8Array, position: number): Verdict {
    const producer = this.#producers.get(batch.producerId(bytes, position))
    // Nothing known, for instance after retention: any sequence is a beginning.
    if (producer === undefined) return fresh
    const epoch = batch.producerEpoch(bytes, position)
    const firstSequence = batch.baseSequence(bytes, position)
    if (epoch < producer.epoch) {
      const message = `Epoch ${epoch} of the producer is older than the current one, ${producer.epoch}.`
      return { kind: 'refused', error: 'INVALID_PRODUCER_EPOCH', message }
    }
    const last = producer.batches.at(-1)
    if (epoch > producer.epoch) {
      if (firstSequence === 0 || last === undefined) return fresh
      const message = `A new producer epoch begins with sequence 0, not ${firstSequence}.`
      return { kind: 'refused', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', message }
    }
    if (last === undefined) return fresh
    const lastSequence = batch.lastSequence(bytes, position)
    const sent = producer.batches.find((b) => b.firstSequence === firstSequence && b.lastSequence === lastSequence)
    if (sent !== undefined) {
      return {
        kind: 'duplicate',
        firstOffset: sent.firstOffset,
        lastOffset: sent.lastOffset,
        timestamp: sent.timestamp,
      }
    }
    if (firstSequence === nextSequence(last.lastSequence)) return fresh
    const message = `Sequence ${firstSequence} does not follow ${last.lastSequence}.`
    return { kind: 'refused', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', message }
  }

  /** Takes in a batch of the log, offsets assigned; batches without a producer id are nobody's. */
  note(bytes: Uint8Array, position: number): void {
    if (!batch.hasProducerId(bytes, position)) return
    const id = batch.producerId(bytes, position)
    const epoch = batch.producerEpoch(bytes, position)
    const timestamp = batch.maxTimestamp(bytes, position)
    let producer = this.#producers.get(id)
    if (producer === undefined || epoch > producer.epoch) {
      producer = { epoch, batches: [], lastTimestamp: timestamp }
      this.#producers.set(id, producer)
    }
    producer.lastTimestamp = Math.max(producer.lastTimestamp, timestamp)
    if (batch.isControl(bytes, position)) return
    producer.batches.push({
      firstSequence: batch.baseSequence(bytes, position),
      lastSequence: batch.lastSequence(bytes, position),
      firstOffset: batch.baseOffset(bytes, position),
      lastOffset: batch.lastOffset(bytes, position),
      timestamp,
    })
    if (producer.batches.length > batchesKept) producer.batches.shift()
  }

  /** Forgets producers that wrote nothing since `before` (ms). */
  expire(before: number): void {
    for (const [id, { lastTimestamp }] of this.#producers) if (lastTimestamp < before) this.#producers.delete(id)
  }

  encode(): Buffer {
    return Buffer.from(JSON.stringify({ v: 1, producers: [...this.#producers] }))
  }

  /** Throws SyntaxError where the bytes are not a snapshot. */
  static decode(bytes: Buffer): ProducerState {
    const state = new ProducerState()
    const { producers } = JSON.parse(bytes.toString()) as { producers: [number, Producer][] }
    for (const [id, producer] of producers) state.#producers.set(id, producer)
    return state
  }
}
