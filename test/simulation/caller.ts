// A client's connection, made again whenever it is lost, and what a patient client does with answers that say "not now".

import { errorName } from '../../protocol/errors.ts'
import type { Answer, ApiTable } from '../../protocol/schema.ts'
import type { Body, Connect, WireClient } from '../wire-client.ts'
import type { Loop } from './loop.ts'

/** No answer came, and nobody knows what became of the request. */
export class Lost extends Error {}

/** The broker said something that nobody who behaves is told. */
export class Refused extends Error {
  readonly error: string

  constructor(what: string, error: string) {
    super(`${what}: ${error}`)
    this.error = error
  }
}

const answerMs = 8_000
/** A client that gives up is another one afterwards. */
const patienceMs = 60_000

const passing = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS', // what CONCURRENT_TRANSACTIONS is called for clients that do not know it here
  'UNSTABLE_OFFSET_COMMIT',
])

export class Caller {
  readonly loop: Loop
  readonly #connect: Connect
  readonly #name: string
  #client: WireClient | undefined

  constructor(loop: Loop, connect: Connect, name: string) {
    this.loop = loop
    this.#connect = connect
    this.#name = name
  }

  /** Waits until somebody listens. Throws Lost. */
  async client(): Promise<WireClient> {
    const giveUpAt = this.loop.now + patienceMs
    while (this.#client === undefined) {
      try {
        this.#client = await this.#connect(this.#name)
      } catch {
        if (this.loop.now > giveUpAt) throw new Lost(`${this.#name}: nobody listens`)
        await this.loop.pause(50)
      }
    }
    return this.#client
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }

  async ask<A extends ApiTable>(table: A, version: number, body: Body<A>, waitMs = answerMs): Promise<Answer<A>> {
    const client = await this.client()
    const answer = await client.attempt(table, version, body, waitMs)
    if (typeof answer !== 'string') return answer
    if (this.#client === client) this.close()
    throw new Lost(`${table.name}: ${answer}`)
  }

  /**
   * Asks until there is an answer that settles it, and asks the same again where none came. `errorsOf`: all codes of an answer;
   * `known`: errors that the caller wants to see, as they are.
   */
  async insist<A extends ApiTable>(
    table: A,
    version: number,
    body: Body<A>,
    errorsOf: (answer: Answer<A>) => readonly number[],
    known: readonly string[] = [],
  ): Promise<Answer<A>> {
    const giveUpAt = this.loop.now + patienceMs
    for (;;) {
      let said = 'no answer'
      try {
        const answer = await this.ask(table, version, body)
        const error = errorsOf(answer).find((code) => code !== 0)
        if (error === undefined) return answer
        said = errorName(error) ?? String(error)
        if (known.includes(said)) return answer
        if (!passing.has(said)) throw new Refused(table.name, said)
      } catch (problem) {
        if (!(problem instanceof Lost)) throw problem
      }
      if (this.loop.now > giveUpAt) throw new Lost(`${table.name}: ${said}`)
      await this.loop.pause(40)
    }
  }
}
