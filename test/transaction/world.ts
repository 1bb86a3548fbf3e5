// A transaction coordinator in a small world: time that moves when told, a log in memory that can refuse, partitions
// that note their markers or do not take them.

import { offsetsPartition } from '../../src/group/offsets-log.ts'
import { type TransactionConfig, transactionConfigDefaults } from '../../src/transaction/config.ts'
import type { Answer } from '../../src/transaction/coordinator.ts'
import { Transactions } from '../../src/transaction/coordinator.ts'
import type { Marker, Place } from '../../src/transaction/markers.ts'
import { stateRecord } from '../../src/transaction/records.ts'
import { type TransactionState, unborn } from '../../src/transaction/state.ts'
import { FakeClock, MemoryLog, settled } from '../group/world.ts'

export { settled }
export const orders = (partition = 0): Place => ({ topic: 'orders', partition })

export type Held = { readonly producerId: number; readonly producerEpoch: number }

export class World {
  readonly clock = new FakeClock()
  readonly log = new MemoryLog(this.clock)
  readonly config: TransactionConfig
  /** `orders-0 COMMIT 7/1`: place, outcome, producer id and epoch. */
  readonly marks: string[] = []
  /** Partitions that take no marker. */
  readonly deaf = new Set<string>()
  /** While set, partitions are slow to take markers. */
  gate: Promise<void> | undefined
  transactions: Transactions
  transactionVersion = 2
  #nextProducerId = 7

  constructor(config: Partial<TransactionConfig> = {}) {
    this.config = { ...transactionConfigDefaults, ...config }
    this.transactions = this.#make()
  }

  static async start(config?: Partial<TransactionConfig>): Promise<World> {
    const world = new World(config)
    await world.transactions.load()
    return world
  }

  /** As if its producer had begun anew very often. */
  static async atEpoch(producerEpoch: number): Promise<World> {
    const world = new World()
    const producerId = world.#nextProducerId++
    const state = {
      ...unborn('tx', producerId, 60_000, world.clock.now()),
      previousProducerId: producerId,
      producerEpoch,
    }
    const partition = offsetsPartition('tx', world.config['transaction.state.log.num.partitions'])
    await world.log.append(partition, [stateRecord(state, 2)])
    await world.transactions.load()
    return world
  }

  #make(): Transactions {
    const { clock, config, log } = this
    const mark = async (topic: string, partition: number, marker: Marker): Promise<boolean> => {
      await this.gate
      const place = `${topic}-${partition}`
      if (this.deaf.has(place)) return false
      this.marks.push(`${place} ${marker.type} ${marker.producerId}/${marker.producerEpoch}`)
      return true
    }
    const newProducerId = async () => this.#nextProducerId++
    return new Transactions({ clock, config, log, newProducerId, mark, version: () => this.transactionVersion })
  }

  /** The process is killed, and another one reads the log. */
  async restart(): Promise<void> {
    this.transactions.stop()
    this.transactions = this.#make()
    await this.transactions.load()
    await settled()
  }

  init(id = 'tx', had?: Held, timeoutMs = 60_000): Promise<Answer> {
    return this.transactions.init({ id, timeoutMs, had })
  }

  /** A producer that may begin. */
  async producer(id = 'tx', timeoutMs?: number): Promise<Held> {
    for (;;) {
      const answer = await this.init(id, undefined, timeoutMs)
      if (typeof answer !== 'string') return answer
      if (answer !== 'CONCURRENT_TRANSACTIONS') throw new Error(answer)
    }
  }

  add(held: Held, places: readonly Place[] = [orders()], { id = 'tx', clientVersion = 2 } = {}) {
    return this.transactions.add({ id, ...held }, places, clientVersion)
  }

  end(held: Held, outcome: 'commit' | 'abort' = 'commit', { id = 'tx', clientVersion = 2 } = {}): Promise<Answer> {
    return this.transactions.end({ id, ...held, outcome, clientVersion })
  }

  state(id = 'tx'): TransactionState {
    const state = this.transactions.describe(id)
    if (typeof state === 'string') throw new Error(state)
    return state
  }

  /** `Ongoing 7/0`. */
  brief(id = 'tx'): string {
    const state = this.transactions.describe(id)
    return typeof state === 'string' ? state : `${state.status} ${state.producerId}/${state.producerEpoch}`
  }
}

export const next = (held: Held): Held => ({ ...held, producerEpoch: held.producerEpoch + 1 })
