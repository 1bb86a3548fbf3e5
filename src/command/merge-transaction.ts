// The transaction of a merge: that of a producer of the broker's own, under an id that no client can spell. One at a time,
// since merges are.

import { StorageError } from '../../protocol/errors.ts'
import type { OwnProducer } from '../branch/merge-writer.ts'
import { transactionInside } from '../branch/set-names.ts'
import type { Clock } from '../storage/clock.ts'
import type { Transactions } from '../transaction/coordinator.ts'
import type { Place } from '../transaction/markers.ts'
import { isPrepared, type TransactionState } from '../transaction/state.ts'

/** No set may be called so, so nobody enters it. */
export const mergeTransactionId = transactionInside('-', 'merge')
/** Since this version every transaction has an epoch of its own (KIP-890). */
const clientVersion = 2
const retryMs = 5
const triesMax = 2_000

/** What a coordinator answered that cannot answer now: its log cannot be written. */
export class TransactionFailure extends StorageError {
  constructor(answer: string) {
    super('EIO', `the transaction of a merge: ${answer}`)
  }
}

export class MergeTransaction {
  readonly #transactions: Transactions
  readonly #clock: Clock
  /** The longest that the broker allows: nobody else is to end it while it writes. */
  readonly #timeoutMs: number
  #producer: OwnProducer | undefined

  constructor(transactions: Transactions, clock: Clock, timeoutMs: number) {
    this.#transactions = transactions
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** A producer for the next transaction; what one of before has left open is taken back. */
  async begin(): Promise<OwnProducer> {
    for (let tries = 0; ; tries++) {
      const answer = await this.#transactions.init({
        id: mergeTransactionId,
        timeoutMs: this.#timeoutMs,
        had: undefined,
      })
      if (typeof answer !== 'string') {
        this.#producer = answer
        return answer
      }
      if (tries === triesMax || !mayPass.has(answer)) throw new TransactionFailure(answer)
      await this.#pause()
    }
  }

  get #claim() {
    if (this.#producer === undefined) throw new Error('no transaction has begun')
    return { id: mergeTransactionId, ...this.#producer }
  }

  async join(places: readonly Place[]): Promise<void> {
    const error = await this.#transactions.add(this.#claim, places, clientVersion)
    if (error !== 'NONE') throw new TransactionFailure(error)
  }

  /** The commit is decided, and its markers are written where they can be, when it resolves. */
  async commit(): Promise<void> {
    const answer = await this.#transactions.end({ ...this.#claim, outcome: 'commit', clientVersion })
    if (typeof answer === 'string') throw new TransactionFailure(answer)
  }

  /** Whether that is decided. If not, the next producer takes back what is open. */
  async abort(): Promise<boolean> {
    const answer = await this.#transactions.end({ ...this.#claim, outcome: 'abort', clientVersion })
    if (typeof answer !== 'string') return true
    console.error(`The transaction of a merge is not aborted yet: ${answer}`)
    return false
  }

  /** Whether the transaction of a producer was committed; waits until its markers are written. */
  async wasCommitted({ producerId, producerEpoch }: OwnProducer): Promise<boolean> {
    let state = this.#state
    for (let tries = 0; state !== undefined && isPrepared(state) && tries < triesMax; tries++) {
      await this.#pause()
      state = this.#state
    }
    if (state === undefined || !state.status.endsWith('Commit')) return false
    const isNext = state.producerId === producerId && state.producerEpoch === producerEpoch + 1
    // The epochs of the id had run out.
    return isNext || (state.previousProducerId === producerId && state.producerEpoch === 0)
  }

  get #state(): TransactionState | undefined {
    const state = this.#transactions.describe(mergeTransactionId)
    return typeof state === 'string' ? undefined : state
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(retryMs, resolve))
  }
}

/** A disk that refuses is asked again by whoever asked for the merge, and not two hundred times a second. */
const mayPass: ReadonlySet<string> = new Set(['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS'])
