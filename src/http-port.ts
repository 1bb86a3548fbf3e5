// Whether a broker has an HTTP port, where, and what of the broker it is shown.

import { apis } from './api/apis.ts'
import type { BrokerConfig } from './broker/broker-config.ts'
import { HttpDoor } from './http/door.ts'
import type { Rooms } from './http/rooms.ts'
import type { RequestTimes } from './net/request-times.ts'
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
  #door: HttpDoor | undefined
  #refused: Error | undefined

  constructor(asked: Asked, config: BrokerConfig) {
    this.#options = wanted(asked, config)
    this.#config = config
  }

  /** Where nobody can ask, nobody need count. */
  get isWanted(): boolean {
    return this.#options !== undefined
  }

  /** Rejects with the error of the system, unless the broker may go without. */
  async open(
    rooms: Omit<Rooms, 'version' | 'traffic' | 'ending'>,
    server: KafkaServer,
    times: RequestTimes | undefined,
  ): Promise<void> {
    const options = this.#options
    if (options === undefined || times === undefined) return
    const named = (key: number) => apis.get(key)?.table.name ?? String(key)
    const shown = {
      ...rooms,
      version: packageVersion,
      traffic: () => {
        const requests = new Map([...times.counts()].map(([key, counts]) => [named(key), counts] as const))
        return { ...server.traffic, waiting: server.waiting, requests, slowRequests: times.slowCount }
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
