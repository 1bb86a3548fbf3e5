// Listeners of branch sets: those that the options name, and those that somebody has asked for (`listen`), which come back
// after a restart. Each stands where the first ordinary listener does and tells its clients of itself alone.

import { Refusal } from '../protocol/errors.ts'
import type { Broker } from './broker/broker.ts'
import { setAddress } from './broker/set-addresses.ts'
import type { Doors } from './command/doors.ts'
import type { Listener } from './net/listener.ts'
import type { Nodes } from './nodes.ts'

const nameOf = (set: string): string => `BRANCH-SET ${set}`
const wildcards = new Set(['', '0.0.0.0', '::'])

export class SetDoors implements Doors {
  readonly #broker: Broker
  /** There once the broker is put together. */
  readonly #nodes: () => Nodes
  /** As whose address they are told, and where they are bound. */
  readonly #ordinary: Listener
  readonly #open = new Set<string>()
  /** Whose listener the options name: it stays, whether there is such a set or not. */
  readonly #standing = new Set<string>()

  constructor(broker: Broker, nodes: () => Nodes, ordinary: Listener) {
    this.#broker = broker
    this.#nodes = nodes
    this.#ordinary = ordinary
  }

  /** Binds what the options name and what was there before. Rejects with the error of the system for the options alone. */
  async resume(): Promise<void> {
    for (const text of this.#broker.config.list('branch.listeners')) {
      const { set, host, port } = setAddress(text)!
      this.#standing.add(set)
      await this.#bind(set, { host: wildcards.has(host) ? undefined : host, port }, [])
    }
    for (const { name: set, ports } of [...this.#broker.lineage.sets.values()]) {
      if (ports === undefined || this.#open.has(set)) continue
      const refused = await this.#attempt(set, 0, ports)
      if (refused instanceof Refusal) console.error(`The set ${set} has no listener now: ${refused.message}`)
    }
  }

  async open(set: string, port: number): Promise<readonly number[] | Refusal> {
    const before = this.#broker.lineage.sets.get(set)?.ports
    const again = port === 0 && before !== undefined ? await this.#attempt(set, 0, before) : undefined
    return again === undefined || again instanceof Refusal ? this.#attempt(set, port, []) : again
  }

  async #attempt(set: string, port: number, ports: readonly number[]): Promise<readonly number[] | Refusal> {
    try {
      return await this.#bind(set, { host: this.#ordinary.host, port }, ports)
    } catch (cause) {
      const where = port === 0 ? ports.join(', ') : port
      const why = cause instanceof Error ? cause.message : String(cause)
      const instead = port === 0 ? '' : ' Take another port, or 0 for any.'
      const message = `No listener could be bound at port ${where} for the set '${set}': ${why}.${instead}`
      return new Refusal('INVALID_REQUEST', message)
    }
  }

  async #bind(
    set: string,
    { host, port }: Pick<Listener, 'host' | 'port'>,
    ports: readonly number[],
  ): Promise<readonly number[]> {
    const { advertisedHost } = this.#ordinary
    const told = host === undefined || host === this.#ordinary.host ? advertisedHost : host
    const own = { name: nameOf(set), host, port, set, role: 'client', advertisedHost: told } as const
    // Taken at once: nobody else binds it meanwhile.
    this.#open.add(set)
    try {
      return await this.#nodes().open({ ...own, protocol: this.#ordinary.protocol, advertisedPort: undefined }, ports)
    } catch (cause) {
      this.#open.delete(set)
      throw cause
    }
  }

  bootstrap(set: string): string | undefined {
    if (!this.#open.has(set)) return undefined
    const { placement } = this.#broker
    return placement.ids
      .map((node) => placement.endpoint(nameOf(set), node))
      .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
      .join(',')
  }

  close(set: string): void {
    if (this.#standing.has(set) || !this.#open.delete(set)) return
    void this.#nodes().close(nameOf(set))
  }
}
