// The listening sockets, and the connections they brought.

import { createServer, type Server } from 'node:net'
import { Connection, type Services } from './connection.ts'
import { BufferPool } from './receive-buffer.ts'

export type ListenOptions = {
  /** Listener name: decides which address its clients are told. */
  name: string
  /** Undefined: all interfaces. */
  host: string | undefined
  /** 0: any free port. */
  port: number
  /** Accepts connections and closes them: a controller listener of a configuration made for a real cluster. */
  closesAtOnce: boolean
}

/** Connections idle for longer than `connections.max.idle.ms` are closed. */
export type ServerLimits = { idleMs: number; connectionsMax: number }

const drainMs = 2000

export class KafkaServer {
  readonly #services: Services
  readonly #limits: ServerLimits
  readonly #servers: Server[] = []
  readonly #connections = new Set<Connection>()
  readonly #pool = new BufferPool()

  constructor(services: Services, limits: ServerLimits) {
    this.#services = services
    this.#limits = limits
  }

  /** Binds a listener; resolves with the port. Rejects with the error of the system (EADDRINUSE, EACCES …). */
  listen({ name, host, port, closesAtOnce }: ListenOptions): Promise<number> {
    const server = createServer({ keepAlive: true }, (socket) => {
      if (closesAtOnce) {
        socket.on('error', () => {})
        socket.destroy()
        return
      }
      const connection = new Connection(socket, this.#services, name, this.#pool)
      this.#connections.add(connection)
      if (this.#limits.idleMs > 0) socket.setTimeout(this.#limits.idleMs, () => socket.destroy())
      socket.on('close', () => this.#connections.delete(connection))
    })
    server.maxConnections = this.#limits.connectionsMax
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        server.off('error', reject)
        server.on('error', (cause) => console.error(`Listener ${name}: ${cause.message}`))
        resolve((server.address() as { port: number }).port)
      })
    })
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Stops accepting, answers what is under way, closes. */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)))
    for (const connection of this.#connections) connection.drain()
    const cut = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy()
    }, drainMs)
    await Promise.all(closed)
    clearTimeout(cut)
  }

  /** Cuts every connection at once: the process pretends to die. */
  destroy(): void {
    for (const server of this.#servers) server.close()
    for (const connection of this.#connections) connection.destroy()
  }
}
