// One client's socket: requests come in, are handed to their API, and the answers leave in the order of the requests.
// A frame that breaks the protocol ends this connection and nothing else.

import type { Socket } from 'node:net'
import { codec } from '../../protocol/compile.ts'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { type Reader, recordsLength } from '../../protocol/reader.ts'
import { has } from '../../protocol/schema.ts'
import type { Api, Client, Context } from '../api/api.ts'
import { Entrance } from '../api/entering/entrance.ts'
import type { Timer } from '../storage/clock.ts'
import { encode, type Queued, queuedIn, release, type Slot, unsupportedVersion } from './answer.ts'
import { Closing } from './closing.ts'
import { Frames } from './frames.ts'
import { Order } from './order.ts'
import { Outlet } from './outlet.ts'
import { ReceiveBuffer, readInto } from './receive-buffer.ts'
import { readHeader } from './request-header.ts'
import type { RequestTiming } from './request-times.ts'
import type { Services, Shared } from './services.ts'
import { Toll } from './toll.ts'

export type { Services, Shared } from './services.ts'

/** More requests in flight than this, or more bytes of them, and nothing more is read from the peer. */
const inFlightMax = 128
const inFlightBytesMax = 16 * 1024 * 1024
/** What a connection may send in a turn of the event loop. libuv would read on 32 times, and all others wait for 16 MB of it. */
const turnBytesMax = 1024 * 1024

type Asked = { readonly name: string; readonly version: number }

export class Connection {
  readonly #socket: Socket
  readonly #services: Services
  readonly #entrance: Entrance
  readonly #frames: Frames
  readonly #order = new Order()
  readonly #outlet: Outlet
  readonly #buffer: ReceiveBuffer
  /** The bytes of a frame are overwritten after it was taken: who wants them for longer has a copy. */
  readonly #reuses: boolean
  readonly #client: Client
  readonly #closing = new Closing()
  readonly #slots: Slot[] = []
  readonly #shared: Shared
  /** When bytes last came, where somebody wants to know. */
  #arrivedAt = 0
  /** Bytes of answers that are ready and wait for an earlier one. */
  #heldBytes = 0
  /** Bytes of requests that wait for something before they are answered. */
  #waitingBytes = 0
  /** Of the memory that all share, what the request that is coming in was given. */
  #givenBytes = 0
  #awaitsMemory = false
  /** Of the answers that lie here, what the backlog counts. */
  #backlogBytes = 0
  /** Bytes that came in this turn of the event loop. */
  #turnBytes = 0
  #taking = false
  /** What is being taken, for the line that says why it ended the connection. */
  #asked: Asked | undefined
  #paused = false
  #draining = false
  /** Something came that ends the connection: what was asked before it is answered, as by a broker that reads on only then. */
  #failed = false
  /** The slot of what is being taken. */
  #taken: Slot | undefined
  /** Set while the client has used more than its quota. */
  #muted: Timer | undefined

  /** `set`: whose listener it came by, if it is not an ordinary one. */
  constructor(socket: Socket, services: Services, listener: string, shared: Shared, set?: string) {
    this.#socket = socket
    this.#outlet = new Outlet(socket)
    this.#shared = shared
    this.#buffer = new ReceiveBuffer(shared.pool)
    this.#services = services
    this.#entrance = new Entrance(set)
    this.#frames = new Frames(services.requestBytesMax)
    this.#client = {
      listener,
      host: socket.remoteAddress ?? '',
      principal: 'User:ANONYMOUS',
      softwareName: 'unknown',
      softwareVersion: 'unknown',
      openedAt: services.broker.clock.now(),
    }
    socket.setNoDelay(true)
    const room = () => this.#buffer.room(this.#frames.keptBytes)
    this.#reuses = readInto(socket, room, (byteCount) => this.#receive(this.#buffer.received(byteCount)))
    if (!this.#reuses) socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('drain', () => {
      this.#noteBacklog()
      this.#resumeIfPossible()
    })
    socket.on('error', () => {}) // followed by 'close'; a peer that vanishes is ordinary
    socket.on('close', () => this.#onClosed())
  }

  /** For whoever counts its bytes. */
  get socket(): Pick<Socket, 'bytesRead' | 'bytesWritten'> {
    return this.#socket
  }

  get queued(): Queued {
    const answerBytes = this.#heldBytes + this.#outlet.byteCount
    return queuedIn(this.#slots, this.#waitingBytes + this.#frames.keptBytes, answerBytes)
  }

  #receive(chunk: Buffer): void {
    if (this.#draining || this.#failed) return // read on all the same: the end of the peer has to be seen
    if (this.#services.times !== undefined) this.#arrivedAt = performance.now()
    this.#turnBytes += chunk.length
    this.#frames.push(chunk)
    this.#takeFrames()
  }

  /** A peer that asks and asks, and takes no answers or no breath, is not listened to: its requests wait where they are. */
  get #isBusy(): boolean {
    if (this.#muted !== undefined || this.#awaitsMemory || this.#turnBytes >= turnBytesMax) return true
    if (this.#slots.length > inFlightMax || this.#waitingBytes > inFlightBytesMax) return true
    return this.#heldBytes + this.#outlet.byteCount > this.#shared.backlog.bytesMax
  }

  #noteBacklog(): void {
    const byteCount = this.#socket.destroyed ? 0 : this.#heldBytes + this.#outlet.byteCount
    this.#backlogBytes = this.#shared.backlog.note(this.#backlogBytes, byteCount)
  }

  /** What is not here yet is read on only where there is memory for all of it. */
  #askForMemory(): void {
    const { memory } = this.#shared
    const byteCount = this.#frames.comingBytes
    if (byteCount === 0 || this.#givenBytes > 0 || this.#awaitsMemory) return
    if (memory.take(byteCount)) this.#givenBytes = byteCount
    else {
      this.#awaitsMemory = true
      memory.await(this.#memoryIsFree)
    }
  }

  readonly #memoryIsFree = (): void => {
    this.#awaitsMemory = false
    this.#askForMemory()
    this.#resumeIfPossible()
  }

  #giveMemoryBack(): void {
    if (this.#givenBytes === 0) return
    const byteCount = this.#givenBytes
    this.#givenBytes = 0
    this.#shared.memory.give(byteCount)
  }

  /** Takes what has arrived, as far as there is room for the answers. */
  #takeFrames(): void {
    if (this.#taking) return
    this.#taking = true
    this.#holdTurn()
    try {
      while (!this.#isBusy && !this.#socket.destroyed && !this.#draining && !this.#failed) {
        const frame = this.#order.next(this.#frames)
        if (frame === undefined) {
          if (this.#shared.memory.isLimited) this.#askForMemory()
          break
        }
        this.#take(frame)
        this.#giveMemoryBack()
      }
    } catch (cause) {
      this.#fail(cause, this.#taken)
    } finally {
      this.#taken = undefined
      this.#taking = false
    }
    this.#noteBacklog()
    if (this.#isBusy || this.#order.isHolding) this.#pause()
  }

  /**
   * Answers leave when the turn is over: a consumer that waits for a record gets it before the producer's acknowledgement
   * makes its way.
   */
  #holdTurn(): void {
    if (this.#outlet.holds) return
    this.#outlet.hold()
    this.#shared.turn.atEnd(this.#leave)
  }

  readonly #leave = (): void => {
    const hadItsShare = this.#turnBytes >= turnBytesMax
    this.#turnBytes = 0
    this.#outlet.leave()
    this.#noteBacklog()
    if (this.#isBusy) this.#pause()
    else if (hadItsShare) this.#resumeIfPossible()
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  #resumeIfPossible(): void {
    if (!this.#paused || this.#taking || this.#draining || this.#isBusy) return
    this.#paused = false
    this.#takeFrames()
    if (!this.#paused) this.#socket.resume()
  }

  /** Nothing more is taken, and from `failing` on nothing is answered. */
  #fail(cause: unknown, failing: Slot | undefined, asked = this.#asked): void {
    const request = asked === undefined ? '' : `${asked.name} v${asked.version}: `
    if (cause instanceof ProtocolViolation) {
      console.error(`Connection from ${this.#client.host} closed: ${request}${cause.message}`)
    } else {
      console.error(`${request}A request met a mistake of ours; its connection is closed:`, cause)
    }
    this.#failed = true
    if (this.#paused) this.#socket.resume()
    const from = failing === undefined ? -1 : this.#slots.indexOf(failing)
    if (from >= 0) {
      for (const slot of this.#slots.splice(from)) {
        this.#heldBytes -= recordsLength(slot.parts ?? [])
        release(slot)
      }
    }
    this.#endIfAnswered()
  }

  #endIfAnswered(): void {
    if (this.#slots.length > 0 || !(this.#failed || this.#draining)) return
    this.#outlet.leave()
    if (this.#failed) this.#socket.destroySoon()
    else this.#socket.end()
  }

  #take(frame: Reader): void {
    this.#asked = undefined
    this.#taken = undefined
    const byteCount = frame.remaining
    const { apiKey } = this.#order
    const version = frame.int16()
    const api = this.#services.apis.get(apiKey)
    if (api === undefined) throw new ProtocolViolation(`API key ${apiKey} is not served`)
    if (version < api.versions[0] || version > api.versions[1]) {
      this.#unsupported(api, version, frame.int32())
      return
    }
    const { name, request, response } = api.table
    const { throttle } = this.#services.broker
    const asked = { name, version }
    this.#asked = asked
    const flexible = has(request.flexible, version)
    const bytes = this.#reuses && !api.borrows ? frame.detached() : frame
    const header = readHeader(bytes, flexible)
    const message = codec(request, version).read(bytes) // what follows it in the frame is nothing, as with Kafka
    const { times, onRequest } = this.#services
    onRequest?.(apiKey, version, this.#client)
    times?.taken(apiKey)
    const slot: Slot = { parts: undefined, releases: [], apiKey, arrivedAt: this.#arrivedAt }
    this.#taken = slot
    this.#slots.push(slot)
    const context: Context = {
      broker: this.#services.broker,
      groups: this.#services.groups,
      transactions: this.#services.transactions,
      branches: this.#services.branches,
      sessions: this.#services.sessions,
      node: this.#services.node,
      shares: this.#services.shares,
      client: this.#client,
      clientId: header.clientId,
      version,
      onSent: (release) => slot.releases.push(release),
      closing: this.#closing,
    }
    const timing = times?.begin(name, context, slot, byteCount)
    if (timing !== undefined) context.waits = timing
    const toll = throttle.isOn ? new Toll(throttle, context, apiKey, byteCount) : undefined
    const answer = this.#entrance.handle(api, message, context)
    toll?.pause()
    if (timing !== undefined) timing.returnedAt = performance.now()
    // ApiVersions keeps header version 0 for ever, so that a client can read it before it knows anything (KIP-511).
    const headerVersion = flexible && apiKey !== apiVersions.key ? 1 : 0
    const finish = (body: unknown) =>
      this.#finish(slot, body, response, version, headerVersion, header.correlationId, toll, timing)
    if (answer instanceof Promise) {
      this.#shared.memory.hold(byteCount)
      this.#waitingBytes += byteCount
      this.#order.begun(apiKey)
      const waited = () => {
        this.#order.ended(apiKey)
        this.#waitingBytes -= byteCount
        this.#shared.memory.give(byteCount)
      }
      answer
        .then(
          (body) => {
            waited()
            finish(body)
          },
          (cause: unknown) => {
            waited()
            throw cause
          },
        )
        .catch((cause: unknown) => {
          this.#fail(cause, slot, asked)
        })
    } else finish(answer)
  }

  #unsupported(api: Api, version: number, correlationId: number): void {
    const body = unsupportedVersion(api, version)
    const slot: Slot = { parts: undefined, releases: [], apiKey: apiVersions.key, arrivedAt: this.#arrivedAt }
    this.#slots.push(slot)
    this.#finish(slot, body, api.table.response, 0, 0, correlationId)
  }

  #finish(
    slot: Slot,
    body: unknown,
    table: Api['table']['response'],
    version: number,
    headerVersion: number,
    correlationId: number,
    toll?: Toll,
    timing?: RequestTiming,
  ): void {
    if (this.#socket.destroyed) {
      release(slot)
      return
    }
    toll?.resume()
    slot.parts = encode(body, table, version, headerVersion, correlationId)
    if (toll !== undefined) {
      const { throttleTimeMs = 0 } = (body ?? {}) as { throttleTimeMs?: number }
      const owedMs = toll.charge(recordsLength(slot.parts))
      if (owedMs > throttleTimeMs && body !== undefined) {
        const told = { ...body, throttleTimeMs: owedMs }
        slot.parts = encode(told, table, version, headerVersion, correlationId)
      }
      this.#mute(Math.max(owedMs, throttleTimeMs))
    }
    const answerBytes = recordsLength(slot.parts)
    this.#heldBytes += answerBytes
    const { times } = this.#services
    times?.answered(slot, answerBytes, timing)
    this.#send()
  }

  /** The answer leaves at once, and the client is not listened to until it owes nothing (KIP-219). */
  #mute(ms: number): void {
    if (ms <= 0) return
    this.#muted?.cancel()
    this.#muted = this.#services.broker.clock.after(ms, () => {
      this.#muted = undefined
      this.#resumeIfPossible()
    })
    this.#pause()
  }

  /** Sends what is ready, in order. */
  #send(): void {
    while (this.#slots.length > 0 && this.#slots[0]!.parts !== undefined) {
      const slot = this.#slots.shift()!
      const parts = slot.parts!
      this.#heldBytes -= recordsLength(parts)
      if (parts.length === 0) {
        release(slot)
        continue
      }
      // An answer that others waited for, and those that became ready with it, leave at once.
      if (!this.#outlet.holds) {
        this.#outlet.hold()
        queueMicrotask(this.#leave)
      }
      for (let i = 0; i < parts.length - 1; i++) this.#outlet.write(parts[i]!)
      if (slot.releases.length === 0) this.#outlet.write(parts.at(-1)!)
      else this.#outlet.write(parts.at(-1)!, () => release(slot))
    }
    this.#resumeIfPossible()
    this.#endIfAnswered()
  }

  /** What is parked lets go now; what is ready and stood behind it is never sent. */
  #onClosed(): void {
    this.#buffer.close()
    this.#outlet.close()
    this.#shared.memory.forget(this.#memoryIsFree)
    this.#giveMemoryBack()
    this.#backlogBytes = this.#shared.backlog.note(this.#backlogBytes, 0)
    this.#closing.begin()
    this.#muted?.cancel()
    for (const slot of this.#slots.splice(0)) release(slot)
    this.#heldBytes = 0
  }

  /** No more requests are taken; those that are parked are given up, those under way are answered, then the socket ends. */
  drain(): void {
    this.#draining = true
    if (this.#paused) this.#socket.resume()
    this.#closing.begin()
    this.#endIfAnswered()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
