// The listening sockets, and the connections they brought.

import { createServer, type Server, type Socket } from 'node:net'
import { Admission } from './admission.ts'
import type { Queued } from './answer.ts'
import { Backlog } from './backlog.ts'
import { Connection, type Services, type Shared } from './connection.ts'
import { BufferPool } from './receive-buffer.ts'
import { RequestMemory } from './request-memory.ts'
import { type SocketBuffers, setSocketBuffers } from './socket-buffers.ts'
import { Turn } from './turn.ts'

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
  /** The branch set that is entered here. */
  set?: string | undefined
}

/** Whose address it is. */
type Place = { readonly node: number; readonly listener: string }

export type ServerLimits = {
  /** Connections idle for longer are closed (`connections.max.idle.ms`). */
  readonly idleMs: number
  /** `queued.max.request.bytes`. */
  readonly queuedBytesMax: number
  /** Absent: as the system chooses. */
  readonly buffers?: SocketBuffers
}

/** What waits now, of all connections. */
export type Waiting = Queued & {
  /** They want to send more than `queued.max.request.bytes` leaves room for. */
  readonly unreadConnections: number
}

const drainMs = 2000

export class KafkaServer {
  readonly #limits: ServerLimits
  readonly #createServer: typeof createServer
  readonly #servers = new Map<Server, Place>()
  readonly #connections = new Map<Connection, Place>()
  readonly #shared: Shared
  readonly #admission = new Admission()
  /** Of connections that are gone. */
  readonly #gone = { count: 0, bytesIn: 0, bytesOut: 0 }

  constructor(limits: ServerLimits, create = createServer) {
    this.#limits = limits
    this.#createServer = create
    const memory = new RequestMemory(limits.queuedBytesMax)
    this.#shared = { pool: new BufferPool(), memory, backlog: new Backlog(), turn: new Turn() }
  }

  /** Binds a listener; resolves with the port. Rejects with the error of the system (EADDRINUSE, EACCES …). */
  listen({ name, host, port, services, closesAtOnce, set }: ListenOptions): Promise<number> {
    const place = { node: services.node, listener: name }
    // Paused: nothing is read of who is not let in yet.
    const server = this.#createServer({ keepAlive: true, pauseOnConnect: true }, (socket) => {
      if (closesAtOnce) {
        socket.on('error', () => {})
        socket.destroy()
        return
      }
      this.#admission.admit(socket, services.broker, () => this.#letIn(socket, services, place, set))
    })
    this.#servers.set(server, place)
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        this.#servers.delete(server)
        reject(cause)
      })
      server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        server.removeAllListeners('error')
        const { buffers } = this.#limits
        if (buffers !== undefined) setSocketBuffers(server, buffers)
        server.on('error', (cause) => console.error(`Listener ${name}: ${cause.message}`))
        resolve((server.address() as { port: number }).port)
      })
    })
  }

  #letIn(socket: Socket, services: Services, place: Place, set: string | undefined): void {
    const connection = new Connection(socket, services, place.listener, this.#shared, set)
    this.#connections.set(connection, place)
    if (this.#limits.idleMs > 0) socket.setTimeout(this.#limits.idleMs, () => socket.destroy())
    socket.on('close', () => {
      this.#connections.delete(connection)
      this.#gone.count++
      this.#gone.bytesIn += socket.bytesRead
      this.#gone.bytesOut += socket.bytesWritten
    })
    socket.resume()
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** What came and went since the start. The sockets count anyway: it is added up when somebody asks. */
  get traffic(): { connections: number; connectionsAccepted: number; bytesIn: number; bytesOut: number } {
    let { bytesIn, bytesOut } = this.#gone
    for (const { socket } of this.#connections.keys()) {
      bytesIn += socket.bytesRead
      bytesOut += socket.bytesWritten
    }
    const connections = this.#connections.size
    return { connections, connectionsAccepted: this.#gone.count + connections, bytesIn, bytesOut }
  }

  get waiting(): Waiting {
    const sum = { requests: 0, requestBytes: 0, answers: 0, answerBytes: 0 }
    for (const { queued } of this.#connections.keys()) {
      sum.requests += queued.requests
      sum.requestBytes += queued.requestBytes
      sum.answers += queued.answers
      sum.answerBytes += queued.answerBytes
    }
    return { ...sum, unreadConnections: this.#shared.memory.waitingCount }
  }

  /** Stops accepting, answers what is under way, closes. */
  async close(): Promise<void> {
    const closed = [...this.#servers.keys()].map((server) => new Promise((resolve) => server.close(resolve)))
    this.#admission.end()
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
    this.#admission.end()
    for (const connection of this.#connections.keys()) connection.destroy()
  }

  /** The same for one node; resolves when its ports are free again. */
  destroyNode(node: number): Promise<void> {
    return this.#destroy((of) => of.node === node)
  }

  /** The same for one listener. */
  destroyListener(name: string): Promise<void> {
    return this.#destroy((of) => of.listener === name)
  }

  async #destroy(isDoomed: (place: Place) => boolean): Promise<void> {
    const servers = [...this.#servers].filter(([, place]) => isDoomed(place)).map(([server]) => server)
    const closed = servers.map((server) => {
      this.#servers.delete(server)
      return new Promise((resolve) => server.close(resolve))
    })
    this.#admission.end()
    for (const [connection, place] of this.#connections) if (isDoomed(place)) connection.destroy()
    await Promise.all(closed)
  }
}
