// A client that says exactly what it is told: any request of the tables at any version, one after the other without
// waiting, or plain bytes; the answers are read by the tables.

import type { Socket } from 'node:net'
import { codec } from '../protocol/compile.ts'
import type { BatchOptions, BatchRecord } from '../protocol/records/builder.ts'
import { encodeBatch } from '../protocol/records/builder.ts'
import { type Answer, type ApiTable, type Draft, type Fields, has } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import { framed, readAnswer, Wire, type WireOptions } from './net/wire.ts'

/** A request's body; what has a default may be left out. */
export type Body<A extends ApiTable> = A extends ApiTable<infer Q, Fields> ? Draft<Q> : never
/** What became of a request that got no answer. */
export type Unanswered = 'closed' | 'silence'

/** How a client comes to the broker. */
export type Connect = (clientId: string) => Promise<WireClient>

export class WireClient {
  readonly #wire: Wire
  readonly #clientId: string | null
  #correlationId = 0

  private constructor(wire: Wire, clientId: string | null) {
    this.#wire = wire
    this.#clientId = clientId
  }

  static async open(
    bootstrap: string,
    clientId: string | null = 'wire-client',
    options: WireOptions = {},
  ): Promise<WireClient> {
    return new WireClient(await Wire.open(bootstrap, options), clientId)
  }

  /** Over a connection that is there, be it a real one or not. */
  static over(socket: Socket, clientId: string | null = 'wire-client'): WireClient {
    return new WireClient(Wire.over(socket), clientId)
  }

  /** The request as a frame. */
  frame<A extends ApiTable>(table: A, version: number, body: Body<A>): Buffer {
    const writer = new Writer()
    writer.int16(table.key)
    writer.int16(version)
    writer.int32(++this.#correlationId)
    writer.nullableString(this.#clientId)
    if (has(table.request.flexible, version)) writer.uvarint(0)
    codec(table.request, version).write(writer, body as Draft<Fields>)
    return framed(writer.bytesWritten())
  }

  /** Sends the request at once, whatever was asked before; answers come in the order of the requests. */
  async attempt<A extends ApiTable>(
    table: A,
    version: number,
    body: Body<A>,
    waitMs?: number,
  ): Promise<Answer<A> | Unanswered> {
    this.#wire.send(this.frame(table, version, body))
    const frame = await this.#wire.frame(waitMs)
    return typeof frame === 'string' ? frame : readAnswer(table, version, frame)
  }

  /** As `attempt`; no answer is an error. */
  async ask<A extends ApiTable>(table: A, version: number, body: Body<A>, waitMs?: number): Promise<Answer<A>> {
    const answer = await this.attempt(table, version, body, waitMs)
    if (typeof answer === 'string') throw new Error(`${table.name} v${version}: ${answer}`)
    return answer
  }

  /** Sends bytes as they are. */
  send(bytes: Buffer): void {
    this.#wire.send(bytes)
  }

  /** The next answer as bytes. */
  receive(waitMs?: number): Promise<Buffer | Unanswered> {
    return this.#wire.frame(waitMs)
  }

  get closed(): Promise<'closed'> {
    return this.#wire.closed
  }

  close(): void {
    this.#wire.drop()
  }
}

/** A batch of records with these values, or whole records. */
export function batchOf(values: readonly (string | BatchRecord)[], options: BatchOptions = {}): Buffer {
  const records = values.map((value) =>
    typeof value === 'string' ? { key: Buffer.from('k'), value: Buffer.from(value), headers: [] } : value,
  )
  return encodeBatch({ records, ...options })
}
