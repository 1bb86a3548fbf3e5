// The nodes that clients see, and the sockets of each: bound at the start, cut when a node is stopped, and bound at the
// same ports when it comes back.

import type { Placement } from './broker/placement.ts'
import type { Services } from './net/connection.ts'
import { endpointFor, type Listener } from './net/listener.ts'
import type { KafkaServer } from './net/server.ts'

export class Nodes {
  readonly #placement: Placement
  readonly #server: KafkaServer
  readonly #listeners: readonly Listener[]
  readonly #services: ReadonlyMap<number, Services>
  /** Ports as they were bound, where any free one was asked for. */
  readonly #bound = new Map<string, number>()

  constructor(
    placement: Placement,
    server: KafkaServer,
    listeners: readonly Listener[],
    servicesOf: (node: number) => Services,
  ) {
    this.#placement = placement
    this.#server = server
    this.#listeners = listeners
    this.#services = new Map(placement.ids.map((id) => [id, servicesOf(id)]))
  }

  /** Binds every listener for every node. Rejects with the error of the system (EADDRINUSE, EACCES …). */
  async listen(): Promise<void> {
    // The first one's first: where any free port will do, its neighbours are as free as any.
    for (const node of this.#placement.ids) await this.#listenAt(node)
  }

  async #listenAt(node: number): Promise<void> {
    const turn = this.#placement.ids.indexOf(node)
    for (const listener of this.#listeners.map((each) => listenerOf(each, turn))) {
      const { name, host, role } = listener
      // The controller is one, and nobody is served there.
      if (role === 'controller' && turn > 0) continue
      const key = `${name} ${node}`
      const port = this.#bound.get(key) ?? listener.port
      const services = this.#services.get(node)!
      const bound = await this.#server.listen({ name, host, port, services, closesAtOnce: role === 'controller' })
      this.#bound.set(key, bound)
      if (role === 'client') this.#placement.setEndpoint(name, { nodeId: node, ...endpointFor(listener, bound) })
    }
  }

  /** The node is gone, from one moment to the next: its connections are cut and its ports refuse. */
  async cut(node: number): Promise<void> {
    this.#placement.stopped(node)
    await this.#server.destroyNode(node)
  }

  /** The node is back, where it was. */
  async restore(node: number): Promise<void> {
    await this.#listenAt(node)
    this.#placement.started(node)
  }
}

/** Each node has the port after the one before it. */
function listenerOf(listener: Listener, turn: number): Listener {
  const next = (port: number) => (port === 0 ? 0 : port + turn)
  const { port, advertisedPort } = listener
  return {
    ...listener,
    port: next(port),
    advertisedPort: advertisedPort === undefined ? undefined : next(advertisedPort),
  }
}
