// What is used is held against the quotas: bytes, time, changes of the cluster, connections. The answer is how long the
// one who used it has to wait (KIP-13, KIP-124, KIP-219, KIP-599, KIP-612).

import type { Clock } from '../storage/clock.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { ClientQuotas, FoundQuota } from './client-quotas.ts'
import type { QuotaKind } from './quota-entity.ts'
import { type Flow, TokenBucket } from './token-bucket.ts'

/** Who uses something, as a request tells. */
export type Payer = { readonly principal: string; readonly clientId: string | null }

/** A reader gets its share of a window in so many pieces: steadily, and not all at the beginning. */
const answersInWindow = 4

/** Buckets of clients that came once are not kept for ever: one that is full is as good as new. */
const sweepAt = 1000

export class Throttle {
  readonly #quotas: ClientQuotas
  readonly #clock: Clock
  /** How much may be used at once, in seconds of the rate. */
  readonly #burstSeconds: number
  readonly #mutationBurstSeconds: number
  readonly #buckets = new Map<string, { bucket: TokenBucket; flow: Flow }>()
  #sweepAt = sweepAt

  constructor(quotas: ClientQuotas, clock: Clock, config: BrokerConfig) {
    this.#quotas = quotas
    this.#clock = clock
    this.#burstSeconds = config.number('quota.window.size.seconds')
    this.#mutationBurstSeconds =
      config.number('controller.quota.window.num') * config.number('controller.quota.window.size.seconds')
  }

  /** Whether requests have to be looked at. All that a broker without quotas pays. */
  get isOn(): boolean {
    return this.#quotas.hasClientQuotas
  }

  /** Takes bytes or milliseconds of work; how long to wait, in ms. */
  charge(kind: 'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage', payer: Payer, cost: number): number {
    const quota = this.#find(kind, payer)
    if (quota === undefined) return 0
    const isTime = kind === 'request_percentage'
    // 100 % is all the time of one thread: 1000 ms a second.
    const rate = isTime ? quota.rate * 10 : quota.rate
    // Nothing is there at first: a run that is looked at from its beginning keeps the rate too.
    const ms = this.#take(kind, quota, { rate, capacity: rate * this.#burstSeconds }, cost, 0)
    return isTime ? Math.min(ms, this.#burstSeconds * 1000) : ms
  }

  /** So many bytes are a fair share of one answer: more would silence the client for long. */
  bytesMax(kind: 'consumer_byte_rate', payer: Payer): number {
    const quota = this.isOn ? this.#find(kind, payer) : undefined
    return quota === undefined ? Infinity : Math.ceil((quota.rate * this.#burstSeconds) / answersInWindow)
  }

  /**
   * Partitions are made or deleted. `strict`: refused while something is owed from before, and then nothing is taken;
   * else taken in any case. Both ways `ms` is how long to wait.
   */
  mutate(payer: Payer, cost: number, strict: boolean): { refused: boolean; ms: number } {
    const quota = this.isOn ? this.#find('controller_mutation_rate', payer) : undefined
    if (quota === undefined) return { refused: false, ms: 0 }
    const flow = { rate: quota.rate, capacity: quota.rate * this.#mutationBurstSeconds }
    const owedMs = strict ? this.#take('controller_mutation_rate', quota, flow, 0) : 0
    if (owedMs > 0) return { refused: true, ms: owedMs }
    const ms = this.#take('controller_mutation_rate', quota, flow, cost)
    return { refused: false, ms: strict ? 0 : ms }
  }

  /** Somebody connects; how long a connection too many is kept waiting before it is closed. */
  connect(ip: string): number {
    const quota = this.#quotas.hasAddressQuotas ? this.#quotas.findAddress(ip) : undefined
    if (quota === undefined) return 0
    const flow = { rate: quota.rate, capacity: quota.rate * this.#burstSeconds }
    const kind = 'connection_creation_rate'
    // What was not let in is not held against the address.
    const owedMs = this.#take(kind, quota, flow, 1)
    if (owedMs > 0) this.#take(kind, quota, flow, -1)
    return owedMs
  }

  #find(kind: QuotaKind, { principal, clientId }: Payer): FoundQuota | undefined {
    return this.#quotas.find(kind, principal.replace(/^User:/, ''), clientId ?? '')
  }

  #take(kind: QuotaKind, { payer }: FoundQuota, flow: Flow, cost: number, atFirst = flow.capacity): number {
    const now = this.#clock.now()
    const key = `${kind} ${payer}`
    let held = this.#buckets.get(key)
    if (held === undefined) {
      this.#sweep(now)
      held = { bucket: new TokenBucket(atFirst, now), flow }
      this.#buckets.set(key, held)
    }
    held.flow = flow
    return held.bucket.take(cost, flow, now)
  }

  #sweep(now: number): void {
    if (this.#buckets.size < this.#sweepAt) return
    for (const [key, { bucket, flow }] of this.#buckets) if (bucket.isFull(now, flow)) this.#buckets.delete(key)
    this.#sweepAt = Math.max(sweepAt, 2 * this.#buckets.size)
  }
}
