// One connection to one broker, as its client: requests go out, answers come back in their order, each read by its table.

import { connect, type Socket } from 'node:net'
import { codec } from '../../../protocol/compile.ts'
import { ProtocolViolation } from '../../../protocol/errors.ts'
import { responseHeader } from '../../../protocol/header.ts'
import { apiVersions } from '../../../protocol/messages/18-api-versions.ts'
import { Reader } from '../../../protocol/reader.ts'
import { type Answer, type ApiTable, type Draft, type Fields, has } from '../../../protocol/schema.ts'
import { Writer } from '../../../protocol/writer.ts'

export type Address = { readonly host: string; readonly port: number }
export type Body<A extends ApiTable> = A extends ApiTable<infer Q, Fields> ? Draft<Q> : never
type Waiting = { readonly take: (frame: Buffer) => void; readonly fail: (cause: Error) => void }

/** The broker cannot be reached, or has gone. */
export class Unreachable extends Error {}

/** Who answers is no broker, or none that has what is asked for. */
export class Unfit extends Error {}

const clientId = 'twiglog-cli'
const lengthBytes = 4
const frameBytesMax = 256 * 1024 * 1024
const patienceMs = 60_000
const connectMs = 10_000

export class NodeConnection {
  readonly #socket: Socket
  readonly #address: Address
  readonly #waiting: Waiting[] = []
  #chunks: Buffer[] = []
  #heldBytes = 0
  #wantedBytes = lengthBytes
  #correlationId = 0
  /** What the broker serves, by API key. */
  #served = new Map<number, readonly [number, number]>()

  private constructor(socket: Socket, address: Address) {
    this.#socket = socket
    this.#address = address
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => this.#fail(this.#closed()))
  }

  /** Rejects with Unreachable, Unfit. */
  static async open(address: Address): Promise<NodeConnection> {
    const connection = new NodeConnection(await connected(address), address)
    try {
      await connection.#learn()
      return connection
    } catch (cause) {
      // Nobody else would, and a command ends when nothing is open.
      connection.close()
      throw cause
    }
  }

  async #learn(): Promise<void> {
    const { apiKeys, errorCode } = await this.#exchange(apiVersions, 0, {} as Body<typeof apiVersions>)
    if (errorCode !== 0) throw new Unfit(`${nameOf(this.#address)} does not tell what it speaks (${errorCode}).`)
    for (const { apiKey, minVersion, maxVersion } of apiKeys) this.#served.set(apiKey, [minVersion, maxVersion])
  }

  /** The newest version that both know, up to `most`. */
  versionOf(table: ApiTable, most: number): number {
    const served = this.#served.get(table.key)
    const version = Math.min(most, served?.[1] ?? -1)
    if (served !== undefined && version >= served[0] && has(table.request.versions, version)) return version
    throw new Unfit(`${nameOf(this.#address)} speaks no version of ${table.name} that this command knows.`)
  }

  /** Asks in a version that both know. Rejects with Unreachable, Unfit. */
  ask<A extends ApiTable>(table: A, most: number, body: Body<A>): Promise<Answer<A>> {
    return this.#exchange(table, this.versionOf(table, most), body)
  }

  async #exchange<A extends ApiTable>(table: A, version: number, body: Body<A>): Promise<Answer<A>> {
    const writer = new Writer()
    writer.int16(table.key)
    writer.int16(version)
    writer.int32(++this.#correlationId)
    writer.nullableString(clientId)
    if (has(table.request.flexible, version)) writer.uvarint(0)
    codec(table.request, version).write(writer, body as Draft<Fields>)
    const bytes = writer.bytesWritten()
    const length = Buffer.alloc(lengthBytes)
    length.writeInt32BE(bytes.length)
    const answer = new Promise<Buffer>((take, fail) => this.#waiting.push({ take, fail }))
    if (this.#socket.destroyed) this.#fail(this.#closed())
    else this.#socket.write(Buffer.concat([length, bytes]))
    return this.#read(await this.#patiently(answer, table), table, version)
  }

  #read<A extends ApiTable>(frame: Buffer, table: A, version: number): Answer<A> {
    const reader = new Reader(frame)
    try {
      codec(responseHeader, has(table.request.flexible, version) && table.key !== apiVersions.key ? 1 : 0).read(reader)
      return codec(table.response, version).read(reader) as Answer<A>
    } catch (cause) {
      throw cause instanceof ProtocolViolation ? this.#noKafka() : cause
    }
  }

  #closed(): Unreachable {
    const why = 'it has stopped, or wants TLS or a login, which this command does not have'
    return new Unreachable(`${nameOf(this.#address)} closed the connection: ${why}.`)
  }

  #noKafka(): Unfit {
    return new Unfit(`${nameOf(this.#address)} does not speak Kafka's protocol, or not without TLS.`)
  }

  async #patiently(answer: Promise<Buffer>, { name }: ApiTable): Promise<Buffer> {
    const late = new Unreachable(`${nameOf(this.#address)} gave no answer to ${name} for ${patienceMs / 1000} s.`)
    const timer = setTimeout(() => {
      this.#fail(late)
      this.close()
    }, patienceMs)
    try {
      return await answer
    } finally {
      clearTimeout(timer)
    }
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#heldBytes += chunk.length
    // A large answer comes in many chunks: they are put together once.
    while (this.#heldBytes >= this.#wantedBytes) {
      const held = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
      const length = held.readInt32BE(0)
      if (length < 0 || length > frameBytesMax) {
        this.#fail(this.#noKafka())
        this.close()
        return
      }
      const end = lengthBytes + length
      const rest = held.length < end ? held : held.subarray(end)
      if (held.length >= end) this.#waiting.shift()?.take(held.subarray(lengthBytes, end))
      this.#wantedBytes = held.length < end ? end : lengthBytes
      this.#chunks = [rest]
      this.#heldBytes = rest.length
    }
  }

  #fail(cause: Error): void {
    for (const { fail } of this.#waiting.splice(0)) fail(cause)
  }

  close(): void {
    this.#socket.destroy()
  }
}

const nameOf = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

function connected(address: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address.port, address.host)
    const fail = (why: string | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new Unreachable(`No broker answers at ${nameOf(address)} (${why}).`))
    }
    const timer = setTimeout(() => fail(`after ${connectMs / 1000} s`), connectMs)
    const refused = (cause: NodeJS.ErrnoException) => fail(cause.code)
    socket.once('error', refused)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', refused)
      resolve(socket)
    })
  })
}
