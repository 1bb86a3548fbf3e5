// Sockets without a system: both ends of each are objects, and what is written to one arrives at the other as late, and in as
// many pieces, as chance has it. Connections keep the order of their bytes, as TCP does; what a network loses comes late.

import { EventEmitter } from 'node:events'
import type { createServer, Socket } from 'node:net'
import type { Loop } from './loop.ts'

type Written = { readonly bytes: Buffer; readonly taken: ((cause?: Error) => void) | undefined }

/** How it goes on the wires just now. */
export type Weather = {
  /** Milliseconds that a piece is on its way at most. */
  latencyMs: number
  /** How many of 1 pieces come seconds later: they were lost, and sent again. */
  loss: number
  /** How many of 1 pieces are cut in two. */
  cuts: number
}

export const calm: Weather = { latencyMs: 1, loss: 0, cuts: 0 }

/** What of a Socket both sides use. */
export class End extends EventEmitter {
  readonly remoteAddress = '127.0.0.1'
  readonly id: string
  bytesRead = 0
  bytesWritten = 0
  writableLength = 0
  destroyed = false
  peer!: End
  /** Its process is gone: nothing reaches it. */
  isDead = false
  readonly #network: Network
  #corked = false
  #paused = false
  #ended = false
  #gone = false
  #written: Written[] = []
  #takingAt: number | undefined
  #inbox: Buffer[] = []
  #isDelivering = false
  /** Nothing that is sent now may arrive before this. */
  #arrivesAt = 0

  constructor(network: Network, id: string) {
    super()
    this.#network = network
    this.id = id
  }

  // --- writing

  setNoDelay(): void {}
  setTimeout(): void {}

  cork(): void {
    this.#corked = true
  }

  uncork(): void {
    this.#corked = false
    this.#takeSoon()
  }

  write(bytes: Buffer, taken?: (cause?: Error) => void): boolean {
    if (this.destroyed || this.#ended) {
      this.#network.loop.after(0, () => taken?.(new Error('the connection is gone')))
      return false
    }
    this.#written.push({ bytes, taken })
    this.writableLength += bytes.length
    if (!this.#corked) this.#takeSoon()
    return this.writableLength < 16_384
  }

  end(): void {
    this.#ended = true
    if (!this.#corked) this.#takeSoon()
  }

  /** The bytes stay the writer's until the system takes them, which may be later. */
  #takeSoon(): void {
    if (this.#takingAt !== undefined || this.destroyed) return
    const { loop } = this.#network
    this.#takingAt = loop.now + this.#network.queueing()
    loop.after(this.#takingAt - loop.now, () => this.#take())
  }

  #take(): void {
    this.#takingAt = undefined
    if (this.destroyed) return
    const written = this.#written.splice(0)
    if (written.length > 0) {
      const bytes = Buffer.concat(written.map((each) => each.bytes))
      this.writableLength = 0
      this.bytesWritten += bytes.length
      for (const piece of this.#network.pieces(bytes)) this.#send((peer) => peer.#arrive(piece))
      for (const { taken } of written) taken?.()
      if (!this.destroyed) this.emit('drain')
    }
    if (this.#ended && this.#written.length === 0) {
      this.#send((peer) => peer.#close())
      this.#close()
    }
  }

  #send(arrive: (peer: End) => void): void {
    const { loop } = this.#network
    this.#arrivesAt = Math.max(this.#arrivesAt, loop.now + this.#network.delay())
    loop.after(this.#arrivesAt - loop.now, () => arrive(this.peer))
  }

  // --- reading

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#network.loop.after(0, () => this.#deliver())
  }

  #arrive(bytes: Buffer): void {
    if (this.destroyed || this.isDead) return
    this.#inbox.push(bytes)
    this.#deliver()
  }

  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#inbox.length > 0 && !this.#paused && !this.destroyed && !this.isDead) {
      const bytes = this.#inbox.shift()!
      this.bytesRead += bytes.length
      this.#network.note(this.id, bytes)
      this.receive(bytes)
    }
    this.#isDelivering = false
  }

  protected receive(bytes: Buffer): void {
    this.emit('data', bytes)
  }

  /** What was not read of this piece comes back to the front. */
  protected unread(bytes: Buffer): void {
    this.bytesRead -= bytes.length
    this.#inbox.unshift(bytes)
  }

  protected get isPaused(): boolean {
    return this.#paused || this.destroyed
  }

  // --- the end

  destroy(): void {
    if (this.destroyed) return
    this.#send((peer) => peer.#close())
    this.#close()
  }

  /** What was written arrives before the end does. */
  destroySoon(): void {
    this.end()
  }

  /** Whatever has arrived until now has arrived, and each side learns of it in its own time. */
  cut(): void {
    for (const end of [this, this.peer]) this.#network.loop.after(this.#network.delay(), () => end.#close())
  }

  #close(): void {
    if (this.#gone) return
    this.#gone = true
    this.destroyed = true
    this.#inbox = []
    const lost = this.#written.splice(0)
    this.#network.closed(this)
    this.#network.loop.after(0, () => {
      for (const { taken } of lost) taken?.(new Error('the connection is gone'))
      if (!this.isDead) this.emit('close', false)
    })
  }

  /** The process that had it was killed: what the system has taken still arrives. */
  die(): void {
    this.isDead = true
    if (this.#gone) return
    this.#send((peer) => peer.#close())
    this.#gone = true
    this.destroyed = true
    this.#network.closed(this)
  }
}

/** As a server's socket keeps itself: it reads into buffers that it is given (see src/net/receive-buffer.ts). */
export class ServerEnd extends End {
  #first: Buffer | undefined;
  [name: symbol]: unknown
  readonly _handle = {
    useUserBuffer: (first: Buffer) => {
      this.#first = first
    },
  }

  static readonly buffer = Symbol('kBuffer')
  static readonly received = Symbol('kBufferCb')
  static readonly room = Symbol('kBufferGen')

  constructor(network: Network, id: string) {
    super(network, id)
    for (const name of [ServerEnd.buffer, ServerEnd.received, ServerEnd.room]) this[name] = undefined
  }

  protected override receive(bytes: Buffer): void {
    if (this.#first === undefined) super.receive(bytes)
    else this.#fill(bytes)
  }

  #fill(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.isPaused) {
        this.unread(bytes.subarray(at))
        return
      }
      const room = this.#first!
      const byteCount = bytes.copy(room, 0, at)
      at += byteCount
      ;(this[ServerEnd.received] as (byteCount: number) => void)(byteCount)
      this.#first = (this[ServerEnd.room] as () => Buffer)()
    }
  }
}

type OnConnection = (socket: Socket) => void

class Listening extends EventEmitter {
  readonly #network: Network
  readonly onConnection: OnConnection
  readonly ends = new Set<End>()
  readonly #isAlive: () => boolean
  #port = 0
  #closed: (() => void) | undefined

  constructor(network: Network, onConnection: OnConnection, isAlive: () => boolean) {
    super()
    this.#network = network
    this.#isAlive = isAlive
    this.onConnection = onConnection
  }

  listen({ port }: { port: number }, listening: () => void): void {
    if (!this.#isAlive()) return
    this.#port = this.#network.bind(port, this)
    this.#network.loop.after(0, listening)
  }

  address(): { port: number } {
    return { port: this.#port }
  }

  close(closed: () => void = () => {}): void {
    if (!this.#isAlive()) return
    this.#network.unbind(this.#port)
    this.#closed = closed
    this.ended()
  }

  ended(): void {
    if (this.#closed === undefined || this.ends.size > 0) return
    this.#network.loop.after(0, this.#closed)
    this.#closed = undefined
  }
}

const anyPort = 30_000

export class Network {
  readonly loop: Loop
  weather: Weather = calm
  readonly #chance: () => number
  readonly #listening = new Map<number, Listening>()
  readonly #ends = new Map<End, Listening | undefined>()
  readonly #note: (what: string, bytes: Buffer) => void
  #connections = 0
  #ports = anyPort

  /** `note` is told of everything that arrives. */
  constructor(loop: Loop, chance: () => number, note: (what: string, bytes: Buffer) => void) {
    this.loop = loop
    this.#chance = chance
    this.#note = note
  }

  note(what: string, bytes: Buffer): void {
    this.#note(what, bytes)
  }

  // --- chance

  delay(): number {
    const { latencyMs, loss } = this.weather
    const lost = loss > 0 && this.#chance() < loss ? 200 + 4000 * this.#chance() : 0
    return lost + latencyMs * this.#chance()
  }

  /** How long the system lets a writer wait. */
  queueing(): number {
    return this.weather.cuts > 0 && this.#chance() < this.weather.cuts ? 20 * this.#chance() : 0
  }

  pieces(bytes: Buffer): Buffer[] {
    if (bytes.length < 2 || this.#chance() >= this.weather.cuts) return [bytes]
    const at = 1 + Math.floor(this.#chance() * (bytes.length - 1))
    return [bytes.subarray(0, at), bytes.subarray(at)]
  }

  // --- who listens

  /** For a broker's server, which uses little of what node:net has. A process that is dead binds nothing. */
  serverOf(isAlive: () => boolean): typeof createServer {
    return ((_: unknown, onConnection: OnConnection) =>
      new Listening(this, onConnection, isAlive)) as unknown as typeof createServer
  }

  bind(wanted: number, listening: Listening): number {
    const port = wanted === 0 ? ++this.#ports : wanted
    if (this.#listening.has(port)) throw new Error(`port ${port} is taken`)
    this.#listening.set(port, listening)
    return port
  }

  unbind(port: number): void {
    this.#listening.delete(port)
  }

  /** Rejects where nobody listens. */
  async connect(port: number): Promise<Socket> {
    await this.loop.pause(this.delay())
    const listening = this.#listening.get(port)
    if (listening === undefined) throw new Error('ECONNREFUSED')
    const n = ++this.#connections
    const [client, server] = [new End(this, `${n}<`), new ServerEnd(this, `${n}>`)]
    client.peer = server
    server.peer = client
    server.pause()
    this.#ends.set(client, undefined)
    this.#ends.set(server, listening)
    listening.ends.add(server)
    listening.onConnection(server as unknown as Socket)
    return client as unknown as Socket
  }

  closed(end: End): void {
    const listening = this.#ends.get(end)
    this.#ends.delete(end)
    listening?.ends.delete(end)
    listening?.ended()
  }

  /** One of the connections breaks, wherever it is. */
  cutOne(): void {
    const clients = [...this.#ends].filter(([, listening]) => listening === undefined).map(([end]) => end)
    clients[Math.floor(this.#chance() * clients.length)]?.cut()
  }

  /** The process that listens is gone. */
  die(): void {
    const dying = [...this.#ends].filter(([, listening]) => listening !== undefined).map(([end]) => end)
    this.#listening.clear()
    for (const end of dying) end.die()
  }
}
