// The listening sockets, and the connections they brought.

import { createServer, type Server } from 'node:net'
import { Admission } from './admission.ts'
import { Connection, type Services } from './connection.ts'
import { BufferPool } from './receive-buffer.ts'

export type ListenOptions = {
  /** Listener name: decides which address its clients are told. */
  name: string
  /** Undefined: all interfaces. */
  host: string | undefined
  /** 0: any free port. */
  port: number
  /** Of the node whose address it is. */
  services: Services
  /** Accepts connections and closes them: a controller listener of a configuration made for a real cluster. */
  closesAtOnce: boolean
}

/** Connections idle for longer than `connections.max.idle.ms` are closed. */
export type ServerLimits = { idleMs: number }

const drainMs = 2000

export class KafkaServer {
  readonly #limits: ServerLimits
  /** By the node whose address it is. */
  readonly #servers = new Map<Server, number>()
  readonly #connections = new Map<Connection, number>()
  readonly #pool = new BufferPool()
  readonly #admission = new Admission()

  constructor(limits: ServerLimits) {
    this.#limits = limits
  }

  /** Binds a listener; resolves with the port. Rejects with the error of the system (EADDRINUSE, EACCES …). */
  listen({ name, host, port, services, closesAtOnce }: ListenOptions): Promise<number> {
    const server = createServer({ keepAlive: true }, (socket) => {
      if (closesAtOnce) {
        socket.on('error', () => {})
        socket.destroy()
        return
      }
      if (!this.#admission.admit(socket, services.broker)) return
      const connection = new Connection(socket, services, name, this.#pool)
      this.#connections.set(connection, services.node)
      if (this.#limits.idleMs > 0) socket.setTimeout(this.#limits.idleMs, () => socket.destroy())
      socket.on('close', () => this.#connections.delete(connection))
    })
    this.#servers.set(server, services.node)
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
    const closed = [...this.#servers.keys()].map((server) => new Promise((resolve) => server.close(resolve)))
    for (const connection of this.#connections.keys()) connection.drain()
    const cut = setTimeout(() => {
      for (const connection of this.#connections.keys()) connection.destroy()
    }, drainMs)
    await Promise.all(closed)
    clearTimeout(cut)
  }

  /** Cuts every connection at once: the process pretends to die. */
  destroy(): void {
    for (const server of this.#servers.keys()) server.close()
    for (const connection of this.#connections.keys()) connection.destroy()
  }

  /** The same for one node; resolves when its ports are free again. */
  async destroyNode(node: number): Promise<void> {
    const servers = [...this.#servers].filter(([, of]) => of === node).map(([server]) => server)
    const closed = servers.map((server) => {
      this.#servers.delete(server)
      return new Promise((resolve) => server.close(resolve))
    })
    for (const [connection, of] of this.#connections) if (of === node) connection.destroy()
    await Promise.all(closed)
  }
}
