// Who may connect: so many connections at a time (max.connections) and of one address (max.connections.per.ip), and so many
// a second (max.connection.creation.rate; of one address where a quota says so, KIP-612). Asked for each connection, so
// that a change takes effect. As with Kafka's acceptor, who finds the broker full waits for another's end; an address that
// has too many is closed.

import type { Socket } from 'node:net'
import type { Broker } from '../broker/broker.ts'
import { intMax } from '../broker/broker-config-row.ts'
import { TokenBucket } from '../broker/token-bucket.ts'
import type { Timer } from '../storage/clock.ts'

/** How many may wait for another's end, as in the system's own queue (`socket.listen.backlog.size`); more are closed. */
const waitingOption = 'socket.listen.backlog.size'
/** A raised limit is noticed after so long where nobody comes or goes. */
const lookEveryMs = 500

type Waiting = { readonly socket: Socket; readonly enter: () => void }

export class Admission {
  /** By address. */
  readonly #counts = new Map<string, number>()
  #total = 0
  /** Those for whom there is no room, in the order in which they came. */
  readonly #full: Waiting[] = []
  /** All who are not let in yet. */
  readonly #outside = new Set<Socket>()
  /** Connections that may come at once. */
  #arrivals: TokenBucket | undefined
  #look: Timer | undefined

  /**
   * Counts a connection until it ends, and lets it in: at once, when the rate allows it, or when there is room. What its
   * address has too many is closed sooner or later.
   */
  admit(socket: Socket, broker: Broker, letIn: () => void): void {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const enter = () => this.#enter(socket, address, broker, letIn)
    this.#outside.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#outside.delete(socket))
    const waitMs = broker.throttle.connect(address)
    // Who comes too often is kept waiting, or it would come again at once.
    if (waitMs > 0) this.#after(waitMs, socket, broker, () => socket.destroy())
    else if (this.#isFull(broker)) this.#wait({ socket, enter }, broker)
    else enter()
  }

  /** Whoever still waits is sent away. */
  end(): void {
    this.#look?.cancel()
    this.#full.length = 0
    for (const socket of this.#outside) socket.destroy()
  }

  #isFull = ({ config }: Broker): boolean => this.#total >= config.number('max.connections')

  #wait(waiting: Waiting, broker: Broker): void {
    if (this.#full.length >= broker.config.number(waitingOption)) {
      waiting.socket.destroy()
      return
    }
    this.#full.push(waiting)
    waiting.socket.once('close', () => {
      const at = this.#full.indexOf(waiting)
      if (at >= 0) this.#full.splice(at, 1)
    })
    this.#lookLater(broker)
  }

  #lookLater(broker: Broker): void {
    this.#look ??= broker.clock.after(lookEveryMs, () => {
      this.#look = undefined
      this.#fill(broker)
      if (this.#full.length > 0) this.#lookLater(broker)
    })
  }

  /** Room has come: the first of those who wait come in. */
  #fill(broker: Broker): void {
    while (this.#full.length > 0 && !this.#isFull(broker)) this.#full.shift()!.enter()
  }

  #enter(socket: Socket, address: string, broker: Broker, letIn: () => void): void {
    const count = (this.#counts.get(address) ?? 0) + 1
    if (count > mostOf(address, broker)) {
      socket.destroy()
      return
    }
    this.#counts.set(address, count)
    this.#total++
    socket.once('close', () => {
      this.#total--
      const left = (this.#counts.get(address) ?? 1) - 1
      if (left > 0) this.#counts.set(address, left)
      else this.#counts.delete(address)
      this.#fill(broker)
    })
    const opened = () => {
      this.#outside.delete(socket)
      letIn()
    }
    const turnMs = this.#turnIn(broker)
    if (turnMs === 0) opened()
    else this.#after(turnMs, socket, broker, opened)
  }

  #after(ms: number, socket: Socket, broker: Broker, then: () => void): void {
    const timer = broker.clock.after(ms, then)
    socket.once('close', () => timer.cancel())
  }

  #turnIn({ config, clock }: Broker): number {
    const rate = config.number('max.connection.creation.rate')
    if (rate === intMax) return 0
    const flow = { rate, capacity: rate * config.number('quota.window.size.seconds') }
    this.#arrivals ??= new TokenBucket(flow.capacity, clock.now())
    return this.#arrivals.take(1, flow, clock.now())
  }
}

function mostOf(address: string, { config }: Broker): number {
  const overrides = config.string('max.connections.per.ip.overrides')
  if (overrides !== '') {
    for (const override of overrides.split(',')) {
      const [, host, count] = /^\s*(.*):\s*(\d+)\s*$/.exec(override) ?? []
      if (host?.trim() === address) return Number(count)
    }
  }
  return config.number('max.connections.per.ip')
}
