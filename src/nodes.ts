// The nodes that clients see, and the sockets of each: bound at the start, cut when a node is stopped, and bound at the
// same ports when it comes back.

import type { Placement } from './broker/placement.ts'
import type { Services } from './net/connection.ts'
import { endpointFor, type Listener } from './net/listener.ts'
import type { KafkaServer } from './net/server.ts'

export class Nodes {
  readonly #placement: Placement
  readonly #server: KafkaServer
  #listeners: readonly Listener[]
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
    for (const listener of this.#listeners) await this.#bind(listener, node)
  }

  async #bind(given: Listener, node: number): Promise<void> {
    const turn = this.#placement.ids.indexOf(node)
    const listener = listenerOf(given, turn)
    const { name, host, role, set } = listener
    // The controller is one, and nobody is served there.
    if (role === 'controller' && turn > 0) return
    const key = `${name} ${node}`
    const port = this.#bound.get(key) ?? listener.port
    const services = this.#services.get(node)!
    const bound = await this.#server.listen({ name, host, port, services, closesAtOnce: role === 'controller', set })
    this.#bound.set(key, bound)
    if (role === 'client') this.#placement.setEndpoint(name, { nodeId: node, ...endpointFor(listener, bound) })
  }

  /**
   * One listener more, at `ports` by node where they are not 0; answers its ports. Rejects with the error of the system, and
   * then nothing is bound.
   */
  async open(listener: Listener, ports: readonly number[] = []): Promise<number[]> {
    const { ids } = this.#placement
    for (const [turn, node] of ids.entries()) if (ports[turn]) this.#bound.set(`${listener.name} ${node}`, ports[turn])
    this.#listeners = [...this.#listeners, listener]
    try {
      for (const node of this.#placement.running) await this.#bind(listener, node)
    } catch (cause) {
      await this.close(listener.name)
      throw cause
    }
    return ids.map((node) => this.#bound.get(`${listener.name} ${node}`) ?? 0)
  }

  /** Its connections are cut, its ports refuse, and it does not come back. */
  async close(name: string): Promise<void> {
    this.#listeners = this.#listeners.filter((listener) => listener.name !== name)
    for (const node of this.#placement.ids) this.#bound.delete(`${name} ${node}`)
    await this.#server.destroyListener(name)
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
