// How long requests take, by API, from the bytes that make them whole to the answer that is ready: for whoever asks by
// metrics. And a line on standard error for each that was slow, which says where its time went, if somebody wants to know.
//
//   arrived ── queued ── taken ── handled ── returned ── waited ── answered ── sending ── sent

import { fetch } from '../../protocol/messages/01-fetch.ts'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import { syncGroup } from '../../protocol/messages/14-sync-group.ts'
import { shareFetch } from '../../protocol/messages/78-share-fetch.ts'
import type { Context, Waits } from '../api/api.ts'
import { Durations } from '../storage/durations.ts'
import type { Slot } from './answer.ts'

/** These wait because they were asked to, or for others: that alone makes nobody slow. */
export const patient: readonly number[] = [fetch.key, joinGroup.key, syncGroup.key, shareFetch.key]
/** A disk that is slow makes every request slow; so many lines a second, and a word on the others. */
const linesMax = 10
const lineWindowMs = 1000

type Asked = Pick<Context, 'version' | 'clientId' | 'client'>

/** One request, for the line that is written if it was slow. Times of `performance.now()`. */
export class RequestTiming implements Waits {
  readonly api: string
  readonly apiKey: number
  readonly version: number
  readonly clientId: string | null
  readonly host: string
  readonly requestBytes: number
  readonly arrivedAt: number
  readonly takenAt: number
  returnedAt = 0
  answeredAt = 0
  answerBytes = 0
  /** Of what it waited, for stable storage. */
  flushMs = 0

  constructor(api: string, { version, clientId, client }: Asked, { apiKey, arrivedAt }: Slot, requestBytes: number) {
    this.api = api
    this.apiKey = apiKey
    this.version = version
    this.clientId = clientId
    this.host = client.host
    this.requestBytes = requestBytes
    this.arrivedAt = arrivedAt
    this.takenAt = performance.now()
  }

  /** What counts of it, ms. */
  slowness(sentAt: number): number {
    const waited = patient.includes(this.apiKey) ? this.answeredAt - this.returnedAt : 0
    return sentAt - this.arrivedAt - waited
  }

  line(sentAt: number): string {
    const ms = (from: number, to: number) => Math.max(0, to - from).toFixed(1)
    const { arrivedAt, takenAt, returnedAt, answeredAt, flushMs } = this
    const flush = flushMs > 0 ? ` (${flushMs.toFixed(1)} for the flush)` : ''
    // A client's name is its own affair, but a line is a line.
    const client = this.clientId === null ? 'a client without a name' : `client ${JSON.stringify(this.clientId)}`
    return [
      `Slow request: ${this.api} v${this.version} of ${client} at ${this.host}`,
      `${this.requestBytes} bytes, answered with ${this.answerBytes}`,
      `${ms(arrivedAt, sentAt)} ms: ${ms(arrivedAt, takenAt)} queued, ${ms(takenAt, returnedAt)} handled, ` +
        `${ms(returnedAt, answeredAt)} waited${flush}, ${ms(answeredAt, sentAt)} sending`,
    ].join('; ')
  }
}

export type RequestCounts = {
  /** Understood, answered or not. */
  readonly taken: number
  readonly durations: Durations
}

export class RequestTimes {
  readonly #slowMs: number
  readonly #say: (line: string) => void
  readonly #counts: { taken: number; durations: Durations }[] = []
  slowCount = 0
  #windowFrom = -Infinity
  #lines = 0
  #untold = 0

  /** `slowMs`: below 0 nobody wants to know. */
  constructor(slowMs: number, say: (line: string) => void = console.error) {
    this.#slowMs = slowMs
    this.#say = say
  }

  /** By API key. */
  *counts(): Generator<readonly [apiKey: number, counts: RequestCounts]> {
    // Keys that nobody has asked with are holes, which entries() would fill.
    for (const key of Object.keys(this.#counts)) yield [Number(key), this.#counts[Number(key)]!]
  }

  taken(apiKey: number): void {
    const counts = this.#counts[apiKey]
    if (counts !== undefined) counts.taken++
    else this.#counts[apiKey] = { taken: 1, durations: new Durations() }
  }

  /** For the line that may have to be written. */
  begin(api: string, asked: Asked, slot: Slot, requestBytes: number): RequestTiming | undefined {
    return this.#slowMs < 0 ? undefined : new RequestTiming(api, asked, slot, requestBytes)
  }

  /** The answer is ready. */
  answered({ apiKey, arrivedAt, releases }: Slot, answerBytes: number, timing: RequestTiming | undefined): void {
    const now = performance.now()
    this.#counts[apiKey]?.durations.note(now - arrivedAt)
    if (timing === undefined) return
    timing.answeredAt = now
    timing.answerBytes = answerBytes
    releases.push(() => this.sent(timing))
  }

  /** The answer has left, or never will. */
  sent(timing: RequestTiming, now = performance.now()): void {
    if (timing.slowness(now) < this.#slowMs) return
    this.slowCount++
    if (now - this.#windowFrom >= lineWindowMs) {
      if (this.#untold > 0) this.#say(`And ${this.#untold} more slow requests.`)
      this.#windowFrom = now
      this.#lines = 0
      this.#untold = 0
    }
    if (++this.#lines > linesMax) this.#untold++
    else this.#say(timing.line(now))
  }
}
