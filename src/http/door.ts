// The HTTP port. At the start it is bound and nothing more: Node's HTTP, hono and the routes are loaded when the first one knocks,
// so that a broker that nobody asks by HTTP is ready as early as one without.

import { setMaxListeners } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Rooms } from './rooms.ts'

export type DoorOptions = {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Names beside those of this machine under which it may be addressed; `*`: any. */
  readonly hosts: readonly string[]
}

const drainMs = 2000
/** Who keeps a connection asks again within it, or opens another. */
const keepAliveMs = 75_000
/** Keys stand in the path. */
const headerBytesMax = 64 * 1024
const connectionsMax = 8192

export class HttpDoor {
  readonly #rooms: Rooms
  readonly #options: DoorOptions
  readonly #bound: Server
  readonly #ending = new AbortController()
  #server: Promise<HttpServer> | undefined

  private constructor(rooms: Omit<Rooms, 'ending'>, options: DoorOptions) {
    this.#rooms = { ...rooms, ending: this.#ending.signal }
    this.#options = options
    setMaxListeners(0, this.#ending.signal)
    // What a socket says before there is somebody to hear it must not be lost.
    this.#bound = createServer({ pauseOnConnect: true }, (socket) => void this.#knock(socket))
  }

  /** Rejects with the error of the system (EADDRINUSE, EACCES …). */
  static async open(rooms: Omit<Rooms, 'ending'>, options: DoorOptions): Promise<HttpDoor> {
    const door = new HttpDoor(rooms, options)
    const { host, port } = options
    await new Promise<void>((resolve, reject) => {
      door.#bound.once('error', reject)
      door.#bound.listen({ host, port }, () => {
        door.#bound.off('error', reject)
        door.#bound.on('error', (cause) => console.error(`HTTP: ${cause.message}`))
        resolve()
      })
    })
    return door
  }

  readonly #url = (): string => {
    const { address, port } = this.#bound.address() as AddressInfo
    const host =
      { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[address] ?? (address.includes(':') ? `[${address}]` : address)
    return `http://${host}:${port}`
  }

  #told: string | undefined

  /** Where it is, for somebody on this machine. */
  get url(): string {
    this.#told ??= this.#url()
    return this.#told
  }

  async #knock(socket: Socket): Promise<void> {
    socket.on('error', () => {})
    try {
      this.#server ??= this.#serve()
      const server = await this.#server
      server.emit('connection', socket)
      socket.resume()
    } catch (cause) {
      console.error('HTTP cannot be served:', cause)
      socket.destroy()
    }
  }

  /** From here on the port is that of a server of Node's. */
  async #serve(): Promise<HttpServer> {
    const [http, { listenerOf }] = await Promise.all([import('node:http'), import('./app.ts')])
    const server = http.createServer(
      { keepAliveTimeout: keepAliveMs, maxHeaderSize: headerBytesMax },
      listenerOf(this.#rooms, new Set(this.#options.hosts.map((name) => name.toLowerCase()))),
    )
    server.maxConnections = connectionsMax
    server.on('error', (cause) => console.error(`HTTP: ${cause.message}`))
    await new Promise<void>((resolve) => server.listen(this.#bound, resolve))
    return server
  }

  /** Streams end, what is asked is answered, and then it is closed. */
  async close(): Promise<void> {
    this.#ending.abort()
    const server = await this.#server?.catch(() => undefined)
    if (server === undefined) {
      await new Promise((resolve) => this.#bound.close(resolve))
      return
    }
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeIdleConnections()
    const cut = setTimeout(() => server.closeAllConnections(), drainMs)
    await closed
    clearTimeout(cut)
  }
}
