// A client that may be rude: it writes whatever bytes it is given to a real socket, and reads answers by their tables.

import { connect, type Socket } from 'node:net'
import { codec } from '../../protocol/compile.ts'
import { responseHeader } from '../../protocol/header.ts'
import { Reader } from '../../protocol/reader.ts'
import { type Answer, type ApiTable, type Draft, type Fields, has } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'

/** Longer than any answer takes that is not parked: whoever waits for it in vain has found a bug. */
const patienceMs = 20_000

/** A request of the given table as a frame, its length in front. */
export function requestFrame(
  table: ApiTable,
  version: number,
  body: unknown,
  correlationId = 1,
  clientId = 'test',
): Buffer {
  const writer = new Writer()
  writer.int16(table.key)
  writer.int16(version)
  writer.int32(correlationId)
  writer.nullableString(clientId)
  if (has(table.request.flexible, version)) writer.uvarint(0)
  codec(table.request, version).write(writer, body as Draft<Fields>)
  return framed(writer.bytesWritten())
}

export function framed(body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** What an answer's frame says; throws where it does not fit its table. */
export function readAnswer<A extends ApiTable>(table: A, version: number, frame: Buffer): Answer<A> {
  const reader = new Reader(frame)
  codec(responseHeader, has(table.request.flexible, version) && table.key !== 18 ? 1 : 0).read(reader)
  const answer = codec(table.response, version).read(reader)
  reader.end()
  return answer as Answer<A>
}

export type WireOptions = {
  readonly reads?: boolean
  /** The address that the broker sees. */
  readonly localAddress?: string | undefined
}

export class Wire {
  readonly socket: Socket
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<'closed'>
  /** What came and makes no frame yet: put together only when it does, as an answer may have a thousand pieces. */
  #received: Buffer[] = []
  #receivedBytes = 0
  /** Bytes that are needed before there is something to take. */
  #needed = 4
  readonly #frames: Buffer[] = []
  readonly #waiting: ((frame: Buffer) => void)[] = []
  #correlationId = 1

  private constructor(socket: Socket, reads: boolean) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve('closed')))
    socket.on('error', () => {})
    socket.setNoDelay(true)
    if (reads) socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  /** `reads: false` takes nothing that the broker sends. */
  static open(bootstrap: string, { reads = true, localAddress }: WireOptions = {}): Promise<Wire> {
    const [host, port] = bootstrap.split(':')
    return new Promise((resolve, reject) => {
      const socket = connect({
        port: Number(port),
        host: host!,
        ...(localAddress === undefined ? {} : { localAddress }),
      })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Wire(socket, reads))
      })
    })
  }

  static over(socket: Socket): Wire {
    return new Wire(socket, true)
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#receivedBytes += chunk.length
    while (this.#receivedBytes >= this.#needed) {
      const bytes = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received)
      const end = 4 + bytes.readInt32BE(0)
      this.#received = [bytes]
      this.#needed = end
      if (bytes.length < end) return
      this.#received = [bytes.subarray(end)]
      this.#receivedBytes -= end
      this.#needed = 4
      const frame = bytes.subarray(4, end)
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#frames.push(frame)
      else waiting(frame)
    }
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** Resolves when the system has taken the bytes, or the connection is gone. */
  sent(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()))
  }

  /** The next answer's frame; 'closed' when there will be none. */
  async frame(waitMs = patienceMs): Promise<Buffer | 'closed' | 'silence'> {
    const ready = this.#frames.shift()
    if (ready !== undefined) return ready
    let waiting: (frame: Buffer) => void = () => {}
    const next = new Promise<Buffer>((resolve) => {
      waiting = resolve
    })
    this.#waiting.push(waiting)
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<'silence'>((resolve) => {
      timer = setTimeout(() => resolve('silence'), waitMs)
    })
    const outcome = await Promise.race([next, this.closed, silence])
    clearTimeout(timer)
    if (outcome === 'silence') this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
    return outcome
  }

  /** Asks and reads the answer, whatever of the body the caller leaves at its default. */
  async ask<A extends ApiTable>(table: A, version: number, body: unknown): Promise<Answer<A>> {
    this.send(requestFrame(table, version, body, this.#correlationId++))
    const frame = await this.frame()
    if (typeof frame === 'string') throw new Error(`${table.name} v${version}: ${frame}`)
    return readAnswer(table, version, frame)
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.socket.destroy()
  }
}
