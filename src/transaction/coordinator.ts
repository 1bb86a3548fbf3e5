// The coordinator of all transactional ids: judges a request by rules.ts, brings the change into the log, then into
// memory, and sees to it that what was decided reaches every partition. Handlers know transactions by this face alone.

import type { ErrorName } from '../../protocol/errors.ts'
import { Journal } from '../group/journal.ts'
import type { OffsetsLog } from '../group/offsets-log.ts'
import { offsetsPartition } from '../group/offsets-log.ts'
import { refusalOf } from '../group/refusal.ts'
import type { Clock, Timer } from '../storage/clock.ts'
import type { TransactionConfig } from './config.ts'
import { type Mark, markerOf, type Place, placesOf, unmarked } from './markers.ts'
import { remembered, stateRecord, tombstone } from './records.ts'
import * as rules from './rules.ts'
import * as states from './state.ts'
import { Transaction } from './transaction.ts'

export type Environment = {
  readonly clock: Clock
  readonly config: TransactionConfig
  readonly log: OffsetsLog
  /** The finalised level of the feature `transaction.version`. */
  version(): number
  /** Rejects with StorageError. */
  newProducerId(): Promise<number>
  readonly mark: Mark
}

export type Producer = { readonly producerId: number; readonly producerEpoch: number }
/** An error, or who the producer is from here on. */
export type Answer = ErrorName | Producer

/** How long a marker waits that a partition did not take. */
const markerRetryMs = 1_000

type Loaded = 'loading' | 'loaded' | 'failed'

export class Transactions {
  readonly #environment: Environment
  readonly #journal: Journal
  readonly #transactions = new Map<string, Transaction>()
  readonly #partitions: Loaded[]
  readonly #timers = new Set<Timer>()
  #stopped = false

  constructor(environment: Environment) {
    this.#environment = environment
    this.#journal = new Journal(environment.log)
    this.#partitions = new Array<Loaded>(environment.config['transaction.state.log.num.partitions']).fill('loading')
  }

  // --- life

  /** Reads what the log remembers, and finishes what was decided. Rejects if a partition cannot be read. */
  async load(): Promise<void> {
    const failures: unknown[] = []
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      try {
        await this.#loadPartition(partition)
        this.#partitions[partition] = 'loaded'
      } catch (error) {
        this.#partitions[partition] = 'failed'
        failures.push(error)
      }
    }
    const { config } = this.#environment
    this.#every(config['transaction.abort.timed.out.transaction.cleanup.interval.ms'], () => this.#abortTimedOut())
    this.#every(config['transaction.remove.expired.transaction.cleanup.interval.ms'], () => this.#forgetExpired())
    if (failures.length > 0) throw new AggregateError(failures, 'transactions could not be read from their log')
  }

  async #loadPartition(partition: number): Promise<void> {
    const found = new Map<string, states.TransactionState>()
    await this.#environment.log.replay(partition, (key, value) => {
      const record = remembered(key, value)
      if (record?.state !== undefined) found.set(record.id, record.state)
      else if (record !== undefined) found.delete(record.id)
    })
    for (const state of found.values()) {
      const transaction = new Transaction(state)
      this.#transactions.set(state.id, transaction)
      if (!states.isPrepared(state)) continue
      transaction.begin()
      void this.#complete(transaction)
    }
  }

  #after(waitMs: number, task: () => void): void {
    if (this.#stopped) return
    const timer = this.#environment.clock.after(waitMs, () => {
      this.#timers.delete(timer)
      task()
    })
    this.#timers.add(timer)
  }

  #every(waitMs: number, task: () => void): void {
    this.#after(waitMs, () => {
      task()
      this.#every(waitMs, task)
    })
  }

  /** Lets go of every timer. What is decided and not yet written everywhere is finished by the next start. */
  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  /** Forgets every transactional id: the log that remembers them is about to be deleted. */
  reset(): void {
    this.#transactions.clear()
  }

  // --- finding

  #partitionOf(id: string): number {
    return offsetsPartition(id, this.#partitions.length)
  }

  #gate(id: string): ErrorName | undefined {
    const state = this.#partitions[this.#partitionOf(id)]
    if (state === 'loaded') return undefined
    return state === 'loading' ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'COORDINATOR_NOT_AVAILABLE'
  }

  /** The transaction of a request that must know one, or why there is nothing to be said about it. */
  #find(id: string): Transaction | ErrorName {
    if (id === '') return 'INVALID_REQUEST'
    return this.#gate(id) ?? this.#transactions.get(id) ?? 'INVALID_PRODUCER_ID_MAPPING'
  }

  // --- changing

  /** Log first, memory after. The caller has begun, and ends. */
  async #write(transaction: Transaction, next: states.TransactionState): Promise<ErrorName> {
    const apply = () => {
      transaction.state = next
    }
    try {
      await this.#journal.write(this.#partitionOf(next.id), [stateRecord(next, this.#environment.version())], apply)
      return 'NONE'
    } catch (error) {
      return refusalOf(error)
    }
  }

  async #change(transaction: Transaction, next: states.TransactionState): Promise<ErrorName> {
    transaction.begin()
    try {
      return await this.#write(transaction, next)
    } finally {
      transaction.end()
    }
  }

  // --- InitProducerId

  async init(request: rules.InitRequest): Promise<Answer> {
    const { id, timeoutMs } = request
    if (id === '') return 'INVALID_REQUEST'
    const { clock, config } = this.#environment
    if (timeoutMs <= 0 || timeoutMs > config['transaction.max.timeout.ms']) return 'INVALID_TRANSACTION_TIMEOUT'
    const closed = this.#gate(id)
    if (closed !== undefined) return closed
    try {
      const transaction = this.#transactions.get(id) ?? (await this.#make(id, timeoutMs))
      if (transaction.isBusy) return 'CONCURRENT_TRANSACTIONS'
      const verdict = rules.init(transaction.state, request, clock.now())
      if (verdict === 'fence') return await this.#fence(transaction)
      if (verdict === 'rotate') return await this.#rotate(transaction, request)
      return typeof verdict === 'string' ? verdict : await this.#initialise(transaction, verdict)
    } catch (error) {
      return refusalOf(error)
    }
  }

  async #make(id: string, timeoutMs: number): Promise<Transaction> {
    const { clock } = this.#environment
    const producerId = await this.#environment.newProducerId()
    let transaction = this.#transactions.get(id)
    if (transaction === undefined) {
      transaction = new Transaction(states.unborn(id, producerId, timeoutMs, clock.now()))
      this.#transactions.set(id, transaction)
    }
    return transaction
  }

  async #initialise(transaction: Transaction, next: states.TransactionState): Promise<Answer> {
    const error = await this.#change(transaction, next)
    return error === 'NONE' ? { producerId: next.producerId, producerEpoch: next.producerEpoch } : error
  }

  async #rotate(transaction: Transaction, { timeoutMs, had }: rules.InitRequest): Promise<Answer> {
    transaction.begin()
    try {
      const producerId = await this.#environment.newProducerId()
      const { state } = transaction
      const lastProducerEpoch = had === undefined ? states.none : state.producerEpoch
      const to = { producerId, producerEpoch: 0, lastProducerEpoch, timeoutMs }
      const error = await this.#write(transaction, states.initialised(state, to, this.#environment.clock.now()))
      return error === 'NONE' ? { producerId, producerEpoch: 0 } : error
    } finally {
      transaction.end()
    }
  }

  /** Aborts what the producer before left open; the new one asks again when that is done. */
  async #fence(transaction: Transaction): Promise<ErrorName> {
    const { clock } = this.#environment
    const version = this.#environment.version()
    transaction.begin()
    try {
      const nextProducerId = await this.#nextProducerId(transaction.state, version)
      const error = await this.#decide(
        transaction,
        states.fenced(transaction.state, version, nextProducerId, clock.now()),
      )
      return error === 'NONE' ? 'CONCURRENT_TRANSACTIONS' : error
    } catch (error) {
      transaction.end()
      return refusalOf(error)
    }
  }

  // --- AddPartitionsToTxn, AddOffsetsToTxn

  /** `clientVersion` 2: the client gets a new epoch with the end of the transaction. */
  async add(claim: rules.Claim, places: readonly Place[], clientVersion: number): Promise<ErrorName> {
    const verdict = this.#judgeAdd(claim, partitionsOf(places), clientVersion)
    return typeof verdict === 'string' ? verdict : this.#change(verdict.transaction, verdict.next)
  }

  #judgeAdd(claim: rules.Claim, partitions: states.Partitions, clientVersion: number) {
    const transaction = this.#find(claim.id)
    if (typeof transaction === 'string') return transaction
    if (transaction.isBusy) return 'CONCURRENT_TRANSACTIONS'
    const next = rules.add(transaction.state, claim, partitions, clientVersion, this.#environment.clock.now())
    return typeof next === 'string' ? next : { transaction, next }
  }

  /** Whether batches of the producer may go into these partitions now; one answer for each. */
  verify(claim: rules.Claim, places: readonly Place[]): ErrorName[] {
    const transaction = this.#find(claim.id)
    return places.map(({ topic, partition }) =>
      typeof transaction === 'string' ? transaction : rules.verify(transaction.state, claim, topic, partition),
    )
  }

  /**
   * KIP-890: what a transactional batch needs before it may be appended. Clients of old have added the partition
   * themselves; with `implicit` it joins the transaction now. Answered at once where nothing has to be written.
   */
  admit(
    claim: rules.Claim,
    places: readonly Place[],
    { implicit }: { implicit: boolean },
  ): readonly ErrorName[] | Promise<readonly ErrorName[]> {
    if (!implicit) return this.verify(claim, places)
    if (this.#judgeAdd(claim, partitionsOf(places), 2) === 'NONE') return places.map(() => 'NONE')
    return this.#addSoon(claim, places).then((error) => places.map(() => error))
  }

  /** Kafka's broker asks its coordinator again for a while when the transaction before is just being completed. */
  async #addSoon(claim: rules.Claim, places: readonly Place[]): Promise<ErrorName> {
    const { clock, config } = this.#environment
    const patienceMs = config['add.partitions.to.txn.retry.backoff.max.ms']
    for (const until = clock.now() + patienceMs; ; ) {
      const error = await this.add(claim, places, 2)
      if (error !== 'CONCURRENT_TRANSACTIONS' || clock.now() >= until) return error
      const transaction = this.#transactions.get(claim.id)
      if (transaction?.isBusy !== true || !(await this.#idle(transaction, until - clock.now()))) return error
    }
  }

  #idle(transaction: Transaction, waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#environment.clock.after(waitMs, () => {
        forget()
        resolve(false)
      })
      const forget = transaction.onIdle(() => {
        timer.cancel()
        resolve(true)
      })
    })
  }

  /** How the transaction of a producer will end, where that is decided and perhaps not yet written everywhere. */
  decided(producerId: number): 'COMMIT' | 'ABORT' | undefined {
    for (const { state } of this.#transactions.values()) {
      if (state.producerId !== producerId || !states.isPrepared(state)) continue
      return state.status === 'PrepareCommit' ? 'COMMIT' : 'ABORT'
    }
    return undefined
  }

  // --- EndTxn

  async end(request: rules.EndRequest): Promise<Answer> {
    const transaction = this.#find(request.id)
    if (typeof transaction === 'string') return transaction
    if (transaction.isBusy) return 'CONCURRENT_TRANSACTIONS'
    const verdict = rules.end(transaction.state, request)
    if (verdict === 'NONE') return producerOf(transaction.state)
    if (verdict !== 'end') return verdict
    transaction.begin()
    try {
      const next = await this.#endOf(transaction.state, request)
      const error = await this.#decide(transaction, next)
      return error === 'NONE' ? producerOf(states.completed(next, next.updatedAt)) : error
    } catch (error) {
      transaction.end()
      return refusalOf(error)
    }
  }

  async #endOf(state: states.TransactionState, request: rules.EndRequest): Promise<states.TransactionState> {
    const { outcome, clientVersion } = request
    const nextProducerId = await this.#nextProducerId(state, clientVersion)
    return states.prepared(state, { outcome, clientVersion, nextProducerId }, this.#environment.clock.now())
  }

  /** The id that takes the place of one whose epochs run out with this transaction. */
  async #nextProducerId(state: states.TransactionState, version: number): Promise<number> {
    return version >= 2 && states.isExhausted(state.producerEpoch) ? this.#environment.newProducerId() : states.none
  }

  /**
   * From here on there is no way back. The answer waits for the markers where they can be written: who has committed reads
   * its own records, and its next transaction need not be told to wait. Where one has to be put off, the answer does not.
   */
  async #decide(transaction: Transaction, next: states.TransactionState): Promise<ErrorName> {
    transaction.begin()
    const error = await this.#write(transaction, next)
    if (error === 'NONE') await this.#complete(transaction)
    else transaction.end()
    return error
  }

  /**
   * Writes the markers, and then that they are written. Resolves when that is done or has to be tried again later, where it
   * was not: who has its marker needs no second one.
   */
  async #complete(transaction: Transaction, places = placesOf(transaction.state.partitions)): Promise<void> {
    const { state } = transaction
    const left = await unmarked(places, markerOf(state), this.#environment.mark)
    if (this.#stopped || this.#transactions.get(state.id) !== transaction) return
    const next = states.completed(state, this.#environment.clock.now())
    if (left.length === 0 && (await this.#write(transaction, next)) === 'NONE') transaction.end()
    else this.#after(markerRetryMs, () => void this.#complete(transaction, left))
  }

  // --- ageing

  #abortTimedOut(): void {
    const now = this.#environment.clock.now()
    for (const transaction of this.#transactions.values()) {
      const { status, startedAt, timeoutMs } = transaction.state
      if (status === 'Ongoing' && !transaction.isBusy && startedAt + timeoutMs < now) void this.#fence(transaction)
    }
  }

  /** A life is over: what is open in it is taken back, and its ids are forgotten. */
  async endAll(isOver: (id: string) => boolean): Promise<void> {
    for (const transaction of [...this.#transactions.values()].filter(({ state }) => isOver(state.id))) {
      if (transaction.state.status === 'Ongoing' && !transaction.isBusy) await this.#fence(transaction)
      if (!transaction.isBusy) await this.#forget(transaction)
    }
  }

  #forgetExpired(): void {
    const before = this.#environment.clock.now() - this.#environment.config['transactional.id.expiration.ms']
    for (const transaction of this.#transactions.values()) {
      const { state } = transaction
      const isIdle = !transaction.isBusy && state.status !== 'Ongoing' && !states.isPrepared(state)
      if (isIdle && state.updatedAt <= before) void this.#forget(transaction)
    }
  }

  async #forget(transaction: Transaction): Promise<void> {
    const { id } = transaction.state
    transaction.begin()
    try {
      const apply = () => {
        if (this.#transactions.get(id) === transaction) this.#transactions.delete(id)
      }
      await this.#journal.write(this.#partitionOf(id), [tombstone(id)], apply)
    } catch (error) {
      refusalOf(error)
    } finally {
      transaction.end()
    }
  }

  // --- transactions as others see them

  describe(id: string): ErrorName | states.TransactionState {
    if (id === '') return 'INVALID_REQUEST'
    return this.#gate(id) ?? this.#transactions.get(id)?.state ?? 'TRANSACTIONAL_ID_NOT_FOUND'
  }

  /** Of the partitions that are read so far; `loading` if there are others. */
  list(): { readonly loading: boolean; readonly states: readonly states.TransactionState[] } {
    const all = [...this.#transactions.values()].map(({ state }) => state)
    return { loading: this.#partitions.includes('loading'), states: all }
  }
}

const producerOf = ({ producerId, producerEpoch }: Producer): Producer => ({ producerId, producerEpoch })

function partitionsOf(places: readonly Place[]): states.Partitions {
  const partitions = new Map<string, Set<number>>()
  for (const { topic, partition } of places) partitions.set(topic, (partitions.get(topic) ?? new Set()).add(partition))
  return partitions
}
