// Stands between clients and a broker, passes everything on and writes it down. The broker has to tell clients the
// recorder's address as its own (advertised.listeners), or they would go round it.

import { createWriteStream, type WriteStream } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { cut, type Event, writeEvent } from './tape.ts'

export class Recorder {
  readonly #server: Server
  readonly #file: WriteStream
  #target = 0
  #connections = 0

  private constructor(path: string) {
    this.#file = createWriteStream(path)
    this.#server = createServer((client) => this.#serve(client))
  }

  static async start(path: string): Promise<Recorder> {
    const recorder = new Recorder(path)
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve))
    return recorder
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Where everything goes. */
  passTo(port: number): void {
    this.#target = port
  }

  /** Connections that outlive the tape end unheard. */
  #note(event: Event): void {
    if (!this.#file.writableEnded) this.#file.write(writeEvent(event))
  }

  #serve(client: Socket): void {
    const connection = ++this.#connections
    const broker = connect(this.#target, '127.0.0.1')
    this.#note({ kind: 'open', connection })
    this.#pass(client, broker, 'ask', connection)
    this.#pass(broker, client, 'answer', connection)
    let open = true
    const end = () => {
      client.destroy()
      broker.destroy()
      if (open) this.#note({ kind: 'close', connection })
      open = false
    }
    for (const socket of [client, broker]) socket.setNoDelay(true).on('close', end).on('error', end)
  }

  #pass(from: Socket, to: Socket, kind: 'ask' | 'answer', connection: number): void {
    let pending = Buffer.alloc(0)
    from.on('data', (chunk: Buffer) => {
      const { frames, rest } = cut(Buffer.concat([pending, chunk]))
      pending = Buffer.from(rest)
      // Before it is passed on, so that what it brings about stands behind it.
      for (const frame of frames) this.#note({ kind, connection, frame })
      to.write(chunk)
    })
  }

  async stop(): Promise<void> {
    this.#server.close()
    await new Promise<void>((resolve) => this.#file.end(resolve))
  }
}

/** A port for the recorded broker, which must know the recorder's before it starts, and the other way round. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
