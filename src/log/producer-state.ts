// What a partition remembers of idempotent and transactional producers (KIP-98): the last five batches of each, so that
// a retry is recognised and a gap refused, and where its open transaction began.

import { Refusal } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { parseMarker } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { encodeChecked, parseChecked } from './checked-json.ts'
import type { Inherited } from './inherited.ts'
import { type AbortedTransaction, OpenTransactions } from './open-transactions.ts'

const batchesKept = 5
const sequenceMax = 0x7fff_ffff
const epochMax = 0x7fff
/** Since this version of Produce an epoch serves one transaction (KIP-890), and each begins with sequence 0. */
const firstBumpingProduce = 12
/** Since this version a marker bears an epoch above that of the data it ends (KIP-890, KIP-1228). */
const bumpingTransactions = 2

type SentBatch = {
  firstSequence: number
  lastSequence: number
  firstOffset: number
  lastOffset: number
  timestamp: number
}

export type Producer = {
  epoch: number
  /** Oldest first, at most five; empty only after a new epoch without data. */
  batches: SentBatch[]
  /** Of its last batch or marker: what its client said. */
  lastTimestamp: number
  /** When that came, by the broker's clock; absent where it was read from the log, until somebody asks who may be forgotten. */
  seenAt?: number
  /** Of the coordinator that wrote its last marker; -1 before the first. */
  coordinatorEpoch: number
  /** First offset of its open transaction. */
  transactionStart?: number
}

/** Who ends a transaction, and by which rules. */
export type MarkerSource = {
  producerId: number
  producerEpoch: number
  coordinatorEpoch: number
  /** `transaction.version` of the transaction. */
  transactionVersion: number
}

export type Verdict =
  | { kind: 'new' }
  /** Sent before: answered with the offsets it got then. */
  | { kind: 'duplicate'; firstOffset: number; lastOffset: number; timestamp: number }
  | { kind: 'refused'; refusal: Refusal }

const fresh: Verdict = { kind: 'new' }
const nextSequence = (sequence: number): number => (sequence === sequenceMax ? 0 : sequence + 1)
const refused = (...refusal: ConstructorParameters<typeof Refusal>): Verdict => ({
  kind: 'refused',
  refusal: new Refusal(...refusal),
})

/** The marker in a control batch. Compaction may have left nothing in it: then nothing of its transaction is left either. */
export function markerOf(bytes: Buffer, position: number): ReturnType<typeof parseMarker> {
  if (batch.recordCount(bytes, position) === 0) return undefined
  for (const { key, value } of readRecords(bytes, position)) return parseMarker(key, value)
  return undefined
}

export class ProducerState {
  readonly #producers = new Map<number, Producer>()
  /** The lowest sequence that each producer's coordinator was asked about and that is not in the log yet. Never in a snapshot. */
  readonly #asked = new Map<number, { epoch: number; sequence: number; at: number }>()
  readonly transactions = new OpenTransactions()
  #hasSeenTransactions = false

  /** False where no batch of a transaction was ever noted: then nobody need look for any. */
  get hasSeenTransactions(): boolean {
    return this.#hasSeenTransactions
  }

  /** There are some in what others have written, whether or not any was noted here. */
  expectTransactions(): void {
    this.#hasSeenTransactions = true
  }

  /** A fork went through these transactions: the markers that end them are to be understood. */
  static cutThrough({ open, hasTransactions }: Pick<Inherited, 'open' | 'hasTransactions'>): ProducerState {
    const state = new ProducerState()
    state.#hasSeenTransactions = hasTransactions
    const oldestFirst = [...open].sort((a, b) => a.firstOffset - b.firstOffset)
    for (const { producerId, producerEpoch: epoch, coordinatorEpoch, firstOffset } of oldestFirst) {
      const producer = { epoch, batches: [], lastTimestamp: -1, coordinatorEpoch, transactionStart: firstOffset }
      state.#producers.set(producerId, producer)
      state.transactions.begin(firstOffset, producerId)
    }
    return state
  }

  /** Takes over from one that knows more which transactions are open since below an offset. */
  takeOpenBelow(offset: number, knowing: ProducerState): void {
    const startOf = ({ transactionStart }: Producer): number => transactionStart ?? Infinity
    const open = [...knowing.#producers].filter(([id, one]) => startOf(one) < offset && !this.#producers.has(id))
    for (const [id, producer] of open.sort(([, a], [, b]) => startOf(a) - startOf(b))) {
      this.#producers.set(id, { ...producer, batches: [] })
      this.transactions.begin(startOf(producer), id)
    }
  }

  /** Records behind this snapshot are deleted, and with them what ended these transactions, perhaps; of their own none is left. */
  forgetOpen(): void {
    for (const producer of this.#producers.values()) delete producer.transactionStart
    this.transactions.forgetOpen()
  }

  get count(): number {
    return this.#producers.size
  }

  /** Producers by id, for those who list them. */
  entries(): IterableIterator<[producerId: number, producer: Readonly<Producer>]> {
    return this.#producers.entries()
  }

  /** Whether a transaction of just this epoch is open: then its partition need not be asked for again. */
  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    const producer = this.#producers.get(producerId)
    return producer?.transactionStart !== undefined && producer.epoch === producerEpoch
  }

  /**
   * The coordinator is asked whether a batch may come in. If it may not, for now, what its producer has sent behind it must not be
   * the first in its place (KIP-890): the batch that is sent again would break the sequence.
   */
  noteAsked(producerId: number, epoch: number, sequence: number, now: number): void {
    const before = this.#asked.get(producerId)
    if (before === undefined || epoch > before.epoch) this.#asked.set(producerId, { epoch, sequence, at: now })
    else if (epoch === before.epoch && sequence < before.sequence) before.sequence = sequence
  }

  /** What to do with a batch that a client sent. `bytes` at `position`: a validated batch with a producer id. */
  check(bytes: Uint8Array, position: number, produceVersion = 0): Verdict {
    const producerId = batch.producerId(bytes, position)
    const producer = this.#producers.get(producerId)
    const firstSequence = batch.baseSequence(bytes, position)
    const isTransactional = batch.isTransactional(bytes, position)
    if (producer === undefined) {
      const { sequence = firstSequence } = this.#asked.get(producerId) ?? {}
      if (firstSequence > sequence) {
        const message = `Sequence ${firstSequence} came behind ${sequence}, which was refused.`
        return refused('OUT_OF_ORDER_SEQUENCE_NUMBER', message)
      }
      // Nothing known, for instance after retention: any sequence is a beginning, except where each transaction has its own.
      if (!isTransactional || produceVersion < firstBumpingProduce || firstSequence === 0) return fresh
      return refused('OUT_OF_ORDER_SEQUENCE_NUMBER', `A transaction begins with sequence 0, not ${firstSequence}.`)
    }
    const epoch = batch.producerEpoch(bytes, position)
    const stale = this.checkEpoch(producerId, epoch)
    if (stale !== undefined) return { kind: 'refused', refusal: stale }
    const last = epoch === producer.epoch ? producer.batches.at(-1) : undefined
    if (last !== undefined) {
      const lastSequence = batch.lastSequence(bytes, position)
      const sent = producer.batches.find((b) => b.firstSequence === firstSequence && b.lastSequence === lastSequence)
      if (sent !== undefined) {
        const { firstOffset, lastOffset, timestamp } = sent
        return { kind: 'duplicate', firstOffset, lastOffset, timestamp }
      }
      if (firstSequence !== nextSequence(last.lastSequence)) {
        const message = `Sequence ${firstSequence} does not follow ${last.lastSequence}.`
        return refused('OUT_OF_ORDER_SEQUENCE_NUMBER', message)
      }
    } else if (firstSequence !== 0) {
      const message = `A new producer epoch begins with sequence 0, not ${firstSequence}.`
      return refused('OUT_OF_ORDER_SEQUENCE_NUMBER', message)
    }
    if (producer.transactionStart !== undefined && !isTransactional) {
      return refused('INVALID_TXN_STATE', 'The producer has an open transaction here; this batch is not part of it.')
    }
    return fresh
  }

  /** Fences what an older epoch of a producer sends. */
  checkEpoch(producerId: number, epoch: number): Refusal | undefined {
    const known = this.#producers.get(producerId)?.epoch ?? -1
    if (epoch >= known) return undefined
    const message = `Epoch ${epoch} of the producer is older than the current one, ${known}.`
    return new Refusal('INVALID_PRODUCER_EPOCH', message)
  }

  /** What stands against a marker; one that ends nothing is taken, as the retry that it is. */
  checkMarker({ producerId, producerEpoch, coordinatorEpoch, transactionVersion }: MarkerSource): Refusal | undefined {
    const stale = this.checkEpoch(producerId, producerEpoch)
    if (stale !== undefined) return stale
    const producer = this.#producers.get(producerId)
    if (producer === undefined) return undefined
    const isOpen = producer.transactionStart !== undefined && producerEpoch !== epochMax
    // The marker of the transaction before, late: it must not end the one that has begun since.
    if (transactionVersion >= bumpingTransactions && producerEpoch === producer.epoch && isOpen) {
      return new Refusal(
        'INVALID_PRODUCER_EPOCH',
        `A marker for epoch ${producerEpoch} comes after the one that began it.`,
      )
    }
    if (coordinatorEpoch >= producer.coordinatorEpoch) return undefined
    const message = `Coordinator epoch ${coordinatorEpoch} is older than the current one, ${producer.coordinatorEpoch}.`
    return new Refusal('TRANSACTION_COORDINATOR_FENCED', message)
  }

  /**
   * Takes in a batch of the log, offsets assigned; batches without a producer id are nobody's. Answers the transaction
   * that it takes back, if it does. `now`: where it is just appended.
   */
  note(bytes: Buffer, position: number, now?: number): AbortedTransaction | undefined {
    if (!batch.hasProducerId(bytes, position)) return undefined
    if (batch.isTransactional(bytes, position)) this.#hasSeenTransactions = true
    const id = batch.producerId(bytes, position)
    if (batch.isTransactional(bytes, position)) this.#asked.delete(id)
    const producer = this.#at(id, batch.producerEpoch(bytes, position))
    const timestamp = batch.maxTimestamp(bytes, position)
    producer.lastTimestamp = timestamp
    if (now === undefined) delete producer.seenAt
    else producer.seenAt = now
    if (batch.isControl(bytes, position)) return this.#end(id, producer, bytes, position)
    const firstOffset = batch.baseOffset(bytes, position)
    producer.batches.push({
      firstSequence: batch.baseSequence(bytes, position),
      lastSequence: batch.lastSequence(bytes, position),
      firstOffset,
      lastOffset: batch.lastOffset(bytes, position),
      timestamp,
    })
    if (producer.batches.length > batchesKept) producer.batches.shift()
    if (producer.transactionStart === undefined && batch.isTransactional(bytes, position)) {
      producer.transactionStart = firstOffset
      this.transactions.begin(firstOffset, id)
    }
    return undefined
  }

  /** The producer in an epoch; a new one begins its sequences anew and keeps what it has open. */
  #at(id: number, epoch: number): Producer {
    let producer = this.#producers.get(id)
    if (producer === undefined) {
      producer = { epoch, batches: [], lastTimestamp: -1, coordinatorEpoch: -1 }
      this.#producers.set(id, producer)
    } else if (epoch > producer.epoch) {
      producer.epoch = epoch
      producer.batches = []
    }
    return producer
  }

  #end(id: number, producer: Producer, bytes: Buffer, position: number): AbortedTransaction | undefined {
    const marker = markerOf(bytes, position)
    if (marker === undefined) return undefined
    producer.coordinatorEpoch = marker.coordinatorEpoch
    const { transactionStart: firstOffset } = producer
    if (firstOffset === undefined) return undefined
    delete producer.transactionStart
    const lastOffset = batch.lastOffset(bytes, position)
    this.transactions.decide(firstOffset, lastOffset)
    if (marker.type === 'COMMIT') return undefined
    const lastStableOffset = Math.min(this.transactions.firstOpen, lastOffset + 1)
    return { producerId: id, firstOffset, lastOffset, lastStableOffset }
  }

  /** Whether a batch is the last that its producer wrote: the one of its last record, or any marker of its epoch. */
  endsWith(bytes: Uint8Array, position: number): boolean {
    const producer = this.#producers.get(batch.producerId(bytes, position))
    if (producer === undefined) return false
    const last = producer.batches.at(-1)
    if (last !== undefined) return last.lastOffset === batch.lastOffset(bytes, position)
    return batch.isControl(bytes, position) && producer.epoch === batch.producerEpoch(bytes, position)
  }

  /**
   * Forgets producers of which nothing came for `afterMs` and that have nothing open. Timestamps do not count, for clients say
   * them: who brings in what is old would be forgotten at once, and what he sends again would be written again.
   */
  expire(now: number, afterMs: number): void {
    for (const [id, producer] of this.#producers) {
      producer.seenAt ??= now
      if (producer.seenAt < now - afterMs && producer.transactionStart === undefined) this.#producers.delete(id)
    }
    for (const [id, { at }] of this.#asked) if (at < now - afterMs) this.#asked.delete(id)
  }

  /** Forgets what producers wrote below an offset, and those who have written nothing since, unless something of theirs is open. */
  forgetBelow(offset: number): void {
    for (const [id, producer] of this.#producers) {
      const isNewer = producer.batches.length === 0
      producer.batches = producer.batches.filter(({ lastOffset }) => lastOffset >= offset)
      if (producer.batches.length === 0 && !isNewer && producer.transactionStart === undefined)
        this.#producers.delete(id)
    }
  }

  encode(): Buffer {
    return encodeChecked({ v: 1, transactions: this.#hasSeenTransactions, producers: [...this.#producers] })
  }

  /** Throws where the bytes are not the snapshot that was written. */
  static decode(bytes: Buffer): ProducerState {
    const state = new ProducerState()
    // Those from before there were transactions know of no coordinator.
    const { producers, transactions = true } = parseChecked(bytes) as {
      producers: [number, Omit<Producer, 'coordinatorEpoch'>][]
      transactions?: boolean
    }
    state.#hasSeenTransactions = transactions
    for (const [id, producer] of producers) state.#producers.set(id, { coordinatorEpoch: -1, ...producer })
    const open = producers.filter(([, { transactionStart }]) => transactionStart !== undefined)
    open.sort(([, a], [, b]) => a.transactionStart! - b.transactionStart!)
    for (const [id, { transactionStart }] of open) state.transactions.begin(transactionStart!, id)
    return state
  }
}
