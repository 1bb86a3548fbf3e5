// Who may connect: so many connections at a time (max.connections) and of one address (max.connections.per.ip), and so many
// a second (max.connection.creation.rate; of one address where a quota says so, KIP-612). Asked for each connection, so
// that a change takes effect.

import type { Socket } from 'node:net'
import type { Broker } from '../broker/broker.ts'
import { intMax } from '../broker/broker-config-row.ts'
import { TokenBucket } from '../broker/token-bucket.ts'

export class Admission {
  /** By address. */
  readonly #counts = new Map<string, number>()
  #total = 0
  /** Connections that may come at once. */
  #arrivals: TokenBucket | undefined

  /**
   * Counts a connection until it ends, and lets it in: at once, or when the rate allows it, as Kafka's acceptor does. One
   * too many is closed sooner or later.
   */
  admit(socket: Socket, broker: Broker, letIn: () => void): void {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const count = (this.#counts.get(address) ?? 0) + 1
    const waitMs = broker.throttle.connect(address)
    if (waitMs > 0 || count > mostOf(address, broker) || this.#total >= broker.config.number('max.connections')) {
      socket.on('error', () => {})
      // Who comes too often is kept waiting, or it would come again at once.
      const timer = broker.clock.after(waitMs, () => socket.destroy())
      socket.on('close', () => timer.cancel())
      return
    }
    this.#counts.set(address, count)
    this.#total++
    socket.on('close', () => {
      this.#total--
      const left = (this.#counts.get(address) ?? 1) - 1
      if (left > 0) this.#counts.set(address, left)
      else this.#counts.delete(address)
    })
    const turnMs = this.#turnIn(broker)
    if (turnMs === 0) letIn()
    else {
      socket.on('error', () => {})
      const timer = broker.clock.after(turnMs, letIn)
      socket.on('close', () => timer.cancel())
    }
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
