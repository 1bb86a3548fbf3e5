// The transaction of a merge: that of a producer of the broker's own, under an id that no client can spell. One at a time,
// since merges are. A partition that went offline for good never takes the marker of the one that was under way: those who merge
// other topics have the next id, and the first is finished when the topic is deleted, or its disk is well again.

import { StorageError } from '../../protocol/errors.ts'
import type { OwnProducer } from '../branch/merge-writer.ts'
import { transactionInside } from '../branch/set-names.ts'
import type { Clock } from '../storage/clock.ts'
import type { Transactions } from '../transaction/coordinator.ts'
import { type Place, placesOf } from '../transaction/markers.ts'
import { isPrepared, type TransactionState } from '../transaction/state.ts'

/** No set may be called so, so nobody enters it. */
const transactionId = (life: number): string => transactionInside('-', life === 0 ? 'merge' : `merge-${life}`)
/** Since this version every transaction has an epoch of its own (KIP-890). */
const clientVersion = 2
const retryMs = 5
const triesMax = 2_000
/** Where a partition is offline: the others have their markers by then, and that one is not waited for. */
const triesOfflineMax = 20

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
  readonly #isOffline: (place: Place) => boolean
  #producer: OwnProducer | undefined
  /** Those before it wait for a partition. */
  #life = 0

  constructor(transactions: Transactions, clock: Clock, timeoutMs: number, isOffline: (place: Place) => boolean) {
    this.#transactions = transactions
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#isOffline = isOffline
  }

  /** A producer for the next transaction; what one of before has left open is taken back. */
  async begin(): Promise<OwnProducer> {
    for (let tries = 0; ; tries++) {
      const id = transactionId(this.#life)
      const answer = await this.#transactions.init({ id, timeoutMs: this.#timeoutMs, had: undefined })
      if (typeof answer !== 'string') {
        this.#producer = answer
        return answer
      }
      if (tries === triesMax || !mayPass.has(answer)) throw new TransactionFailure(answer)
      const state = this.#transactions.describe(id)
      if (typeof state !== 'string' && this.#waitsInVain(state, tries)) {
        this.#life++
        tries = 0
      }
      await this.#pause()
    }
  }

  #waitsInVain(state: TransactionState, tries: number): boolean {
    if (tries < triesOfflineMax || !isPrepared(state)) return false
    return placesOf(state.partitions).some(this.#isOffline)
  }

  get #claim() {
    if (this.#producer === undefined) throw new Error('no transaction has begun')
    return { id: transactionId(this.#life), ...this.#producer }
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

  /** Whether the transaction of a producer was committed; waits until its markers are written where they can be. */
  async wasCommitted(producer: OwnProducer): Promise<boolean> {
    const find = () => this.#transactions.list().states.find((state) => isOf(state, producer))
    let state = find()
    for (let tries = 0; state !== undefined && isPrepared(state) && tries < triesMax; tries++) {
      if (this.#waitsInVain(state, tries)) break
      await this.#pause()
      state = find()
    }
    return state?.status.endsWith('Commit') === true
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(retryMs, resolve))
  }
}

/** A disk that refuses is asked again by whoever asked for the merge, and not two hundred times a second. */
const mayPass: ReadonlySet<string> = new Set(['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS'])

/** Whether it is what a producer's transaction has become when it was decided. */
function isOf(state: TransactionState, { producerId, producerEpoch }: OwnProducer): boolean {
  const isNext = state.producerId === producerId && state.producerEpoch === producerEpoch + 1
  // The epochs of the id had run out.
  return isNext || (state.previousProducerId === producerId && state.producerEpoch === 0)
}
