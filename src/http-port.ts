// Whether a broker has an HTTP port, where, and what of the broker it is shown.

import { apis } from './api/apis.ts'
import type { BrokerConfig } from './broker/broker-config.ts'
import { HttpDoor } from './http/door.ts'
import type { Rooms } from './http/rooms.ts'
import type { Services } from './net/connection.ts'
import type { KafkaServer } from './net/server.ts'
import { packageVersion } from './package-version.ts'

export type HttpOptions = {
  /** 0 (the default) takes a free one. */
  port?: number
  /** The address to listen on; the loopback address unless said otherwise. There is no authentication. */
  host?: string
  /** Names under which it may be addressed, beside addresses and `localhost`; `*` is any. */
  hosts?: readonly string[]
  /** Where the port cannot be bound the broker goes without, and says why. */
  orNone?: boolean
}

type Asked = boolean | HttpOptions | undefined

/** What was asked for, by a program or else by the options of the broker; undefined: no HTTP. */
function wanted(asked: Asked, config: BrokerConfig): (HttpOptions & { port: number }) | undefined {
  if (asked === false) return undefined
  const isSaid = config.isSet('http.port')
  if (asked === undefined && !isSaid) return undefined
  const said = isSaid ? { port: config.number('http.port') } : {}
  const options = { port: 0, ...said, ...(typeof asked === 'object' ? asked : {}) }
  return options.port < 0 ? undefined : options
}

export class HttpPort {
  readonly #options: (HttpOptions & { port: number }) | undefined
  readonly #config: BrokerConfig
  readonly #counts = new Map<number, number>()
  #door: HttpDoor | undefined
  #refused: Error | undefined

  constructor(asked: Asked, config: BrokerConfig) {
    this.#options = wanted(asked, config)
    this.#config = config
  }

  /** Told of each request of a Kafka client, and tells `next`; where there is no HTTP nobody asks how many there were. */
  counting(next: Services['onRequest']): Services['onRequest'] {
    if (this.#options === undefined) return next
    const counts = this.#counts
    return (apiKey, version, client) => {
      counts.set(apiKey, (counts.get(apiKey) ?? 0) + 1)
      next?.(apiKey, version, client)
    }
  }

  /** Rejects with the error of the system, unless the broker may go without. */
  async open(rooms: Omit<Rooms, 'version' | 'traffic' | 'ending'>, server: KafkaServer): Promise<void> {
    const options = this.#options
    if (options === undefined) return
    const counts = this.#counts
    const shown = {
      ...rooms,
      version: packageVersion,
      traffic: () => {
        const requests = [...counts].map(([key, count]) => [apis.get(key)?.table.name ?? String(key), count] as const)
        return { ...server.traffic, requests: new Map(requests) }
      },
    }
    const host = options.host ?? this.#config.string('http.host')
    const hosts = options.hosts ?? this.#config.list('http.allowed.hosts')
    try {
      this.#door = await HttpDoor.open(shown, { host, port: options.port, hosts })
    } catch (cause) {
      if (options.orNone !== true) throw cause
      this.#refused = cause as Error
    }
  }

  /** Undefined where there is none. */
  get url(): string | undefined {
    return this.#door?.url
  }

  /** Why there is none, where there was to be one. */
  get refused(): Error | undefined {
    return this.#refused
  }

  async close(): Promise<void> {
    await this.#door?.close()
  }
}
