// What a request costs its client where quotas are set: the bytes that come in and go out, and the time it takes. The
// client learns with the answer how long it is not listened to (KIP-219).

import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { shareFetch } from '../../protocol/messages/78-share-fetch.ts'
import type { Context } from '../api/api.ts'
import type { Payer, Throttle } from '../broker/throttle.ts'

const consuming: readonly number[] = [fetch.key, shareFetch.key]

export class Toll {
  readonly #throttle: Throttle
  readonly #payer: Payer
  readonly #apiKey: number
  readonly #requestBytes: number
  #workMs = 0
  #since = performance.now()

  /** Begins to count the time. */
  constructor(throttle: Throttle, { client, clientId }: Context, apiKey: number, requestBytes: number) {
    this.#throttle = throttle
    this.#payer = { principal: client.principal, clientId }
    this.#apiKey = apiKey
    this.#requestBytes = requestBytes
  }

  /** The request waits for something: that is no work. */
  pause(): void {
    this.#workMs += performance.now() - this.#since
  }

  resume(): void {
    this.#since = performance.now()
  }

  /** How long the client has to wait, in ms. */
  charge(answerBytes: number): number {
    this.pause()
    const owedMs = this.#throttle.charge('request_percentage', this.#payer, this.#workMs)
    if (this.#apiKey === produce.key) {
      return Math.max(owedMs, this.#throttle.charge('producer_byte_rate', this.#payer, this.#requestBytes))
    }
    if (!consuming.includes(this.#apiKey)) return owedMs
    return Math.max(owedMs, this.#throttle.charge('consumer_byte_rate', this.#payer, answerBytes))
  }
}
