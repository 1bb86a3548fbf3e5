// What a batch of a transaction needs before it may be appended (KIP-98, KIP-890): its producer's transaction is open and
// holds the partition. Producers of old have added it; from Produce v12 on the batch brings it along.

import type { ErrorName } from '../../protocol/errors.ts'
import type { produce } from '../../protocol/messages/00-produce.ts'
import type { Records } from '../../protocol/reader.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { Element, Request } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import { BatchRefusal } from '../log/log.ts'
import type { Client, Context } from './api.ts'

type ProduceRequest = Request<typeof produce>
type TopicData = Element<ProduceRequest, 'topicData'>
type PartitionData = Element<TopicData, 'partitionData'>
/** What the caller knows of the place of a batch; undefined: nothing can be appended there anyway. */
export type Target = { readonly topic: string; readonly partition: Partition }
/** By partition of the request. */
export type Refusals = ReadonlyMap<PartitionData, BatchRefusal>
type Producer = { readonly producerId: number; readonly producerEpoch: number; readonly sequence: number }
type Wanted = Target & { readonly data: PartitionData; readonly producer: Producer }

/** Produce that brings its partition into the transaction. */
const implicitFrom = 12
/** Produce whose client knows TRANSACTION_ABORTABLE. */
const abortableFrom = 11
/** Where a batch says that it is part of a transaction. */
const attributesLowByte = 22
const transactionalBit = 0x10

/** Whether a request holds a batch of a transaction: reads one bit of each. */
export function isTransactional({ topicData }: ProduceRequest): boolean {
  for (const { partitionData } of topicData)
    for (const { records } of partitionData) if (records !== null && hasTransactionalBit(records)) return true
  return false
}

/** The batch may lie in pieces, and nobody has looked at it yet. */
function hasTransactionalBit(records: Records): boolean {
  let at = attributesLowByte
  for (const piece of Buffer.isBuffer(records) ? [records] : records) {
    if (at < piece.length) return (piece[at]! & transactionalBit) !== 0
    at -= piece.length
  }
  return false
}

function header(records: Records): Buffer {
  const pieces = Buffer.isBuffer(records) ? [records] : records
  if (pieces[0] !== undefined && pieces[0].length >= batch.headerBytes) return pieces[0]
  return Buffer.concat(pieces).subarray(0, batch.headerBytes)
}

function producerOf({ records }: PartitionData): Producer | undefined {
  if (records === null || !hasTransactionalBit(records)) return undefined
  const bytes = header(records)
  if (bytes.length < batch.headerBytes || !batch.hasProducerId(bytes, 0)) return undefined
  const sequence = batch.baseSequence(bytes, 0)
  return { producerId: batch.producerId(bytes, 0), producerEpoch: batch.producerEpoch(bytes, 0), sequence }
}

export class Admission {
  readonly #request: ProduceRequest
  readonly #context: Context
  readonly #wanted: Wanted[] = []
  readonly #refusals = new Map<PartitionData, BatchRefusal>()
  #producer: Producer | undefined
  /** Batches of two producers in one request: nobody can say whose transaction it is. */
  #isMixed = false

  /** Looks at every batch of a request that has transactional ones. `find` tells where each would go. */
  constructor(request: ProduceRequest, context: Context, find: (data: TopicData, index: number) => Target | undefined) {
    this.#request = request
    this.#context = context
    for (const data of request.topicData) {
      for (const partition of data.partitionData) {
        const producer = producerOf(partition)
        if (producer === undefined) continue
        this.#producer ??= producer
        this.#isMixed ||= !isSame(producer, this.#producer)
        const target = find(data, partition.index)
        if (target !== undefined) this.#judge({ ...target, data: partition, producer })
      }
    }
  }

  /** What the partition itself knows comes first; a log that cannot be asked says so at the append. */
  #judge(wanted: Wanted): void {
    const { producerId, producerEpoch } = wanted.producer
    try {
      if (wanted.partition.hasOpenTransaction(producerId, producerEpoch)) return
      const stale = wanted.partition.log.producers.checkEpoch(producerId, producerEpoch)
      if (stale === undefined) this.#wanted.push(wanted)
      else this.#refusals.set(wanted.data, new BatchRefusal(stale.error))
    } catch {
      // Left to the append.
    }
  }

  /** Why batches may not be appended, as far as that can be said at once; else a promise. */
  refusals(): Refusals | Promise<Refusals> {
    const { transactionalId } = this.#request
    if (transactionalId === null) return this.#all('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    if (this.#isMixed) return this.#all('INVALID_PRODUCER_ID_MAPPING')
    const { broker, transactions, version } = this.#context
    const implicit = version >= implicitFrom
    const isAsked = implicit || broker.config.boolean('transaction.partition.verification.enable')
    if (this.#wanted.length === 0 || !isAsked) return this.#refusals
    const { producerId, producerEpoch } = this.#producer!
    const claim = { id: transactionalId, producerId, producerEpoch }
    const now = broker.clock.now()
    for (const { partition, producer } of this.#wanted)
      partition.log.producers.noteAsked(producerId, producerEpoch, producer.sequence, now)
    const places = this.#wanted.map(({ topic, partition }) => ({ topic, partition: partition.index }))
    const errors = transactions.admit(claim, places, { implicit })
    if (!(errors instanceof Promise)) return this.#refused(errors)
    // Looked at again when the append is next: meanwhile the transaction may have been taken away.
    return errors.then((then) => {
      const still = transactions.verify(claim, places)
      return this.#refused(then.map((error, i) => (error === 'NONE' ? still[i]! : error)))
    })
  }

  #all(error: ErrorName): Refusals {
    const refusal = new BatchRefusal(error)
    return new Map(this.#request.topicData.flatMap((data) => data.partitionData.map((of) => [of, refusal] as const)))
  }

  #refused(errors: readonly ErrorName[]): Refusals {
    errors.forEach((error, i) => {
      if (error !== 'NONE') this.#refusals.set(this.#wanted[i]!.data, refusalAsOf(this.#context.version, error))
    })
    return this.#refusals
  }
}

/** What is to be done with a request of a connection, and what has to be done before its handler returns unfinished. */
type Turn<T> = {
  readonly judge: () => Refusals | Promise<Refusals>
  readonly append: (refusals: Refusals) => T
  readonly keep: () => void
}

const underWay = new WeakMap<Client, Promise<void>>()

/** Whether something of a client is being admitted. */
export const isWaiting = (client: Client): boolean => underWay.has(client)

/**
 * Producers do not wait for an answer before they send on: what comes behind a batch that is being admitted is appended
 * behind it, or the sequence would break. Nobody waits for the flush of another request.
 */
export function inOrder<T>(client: Client, turn: Turn<T>): T | Promise<Awaited<T>> {
  const before = underWay.get(client)
  if (before === undefined) {
    const refusals = turn.judge()
    if (!(refusals instanceof Promise)) return turn.append(refusals)
    turn.keep()
    return queue(client, refusals, turn)
  }
  turn.keep()
  return queue(client, before.then(turn.judge), turn)
}

async function queue<T>(client: Client, refusals: Promise<Refusals>, { append }: Turn<T>): Promise<Awaited<T>> {
  // In a box: its promise, if it is one, is that of the answer.
  const appended = refusals.then((known) => ({ answer: append(known) }))
  const settled = appended.then(
    () => {},
    () => {},
  )
  underWay.set(client, settled)
  void settled.then(() => {
    if (underWay.get(client) === settled) underWay.delete(client)
  })
  return await (await appended).answer
}

const isSame = (a: Producer, b: Producer): boolean =>
  a.producerId === b.producerId && a.producerEpoch === b.producerEpoch

/** What a producer of this version understands: the coordinator's own words are meant for other requests. */
function refusalAsOf(version: number, error: ErrorName): BatchRefusal {
  switch (error) {
    case 'PRODUCER_FENCED':
      return new BatchRefusal('INVALID_PRODUCER_EPOCH')
    case 'TRANSACTION_ABORTABLE':
      if (version >= abortableFrom) return new BatchRefusal(error)
      return new BatchRefusal('INVALID_TXN_STATE', 'The partition is no part of the open transaction.')
    case 'CONCURRENT_TRANSACTIONS':
      return version >= implicitFrom ? new BatchRefusal(error) : notNow(error)
    case 'COORDINATOR_LOAD_IN_PROGRESS':
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'NOT_COORDINATOR':
      return notNow(error)
    default:
      return new BatchRefusal(error)
  }
}

/** The one error that every producer tries again without asking for metadata first. */
const notNow = (error: ErrorName): BatchRefusal =>
  new BatchRefusal('NOT_ENOUGH_REPLICAS', `The transaction could not be asked about the partition: ${error}.`)
