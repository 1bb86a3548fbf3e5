// Which addresses are opened and which addresses clients are told, by Kafka's rules for listeners. Names, ports and
// protocols are checked as the real broker (4.4.0) checks them; only PLAINTEXT is served so far.

import { hostname } from 'node:os'
import { Refusal } from '../../protocol/errors.ts'
import type { BrokerConfig } from '../broker/broker-config.ts'

export type Listener = {
  /** Upper case, as Kafka shows it. */
  readonly name: string
  /** undefined: every address. */
  readonly host: string | undefined
  /** 0: any free one. */
  readonly port: number
  readonly protocol: Protocol
  readonly advertisedHost: string
  /** undefined: the port that is bound. */
  readonly advertisedPort: number | undefined
  /** Connections to a controller listener are closed at once: its port is there for those who wait for it. */
  readonly role: 'client' | 'controller'
  /** The branch set that is entered here; by an ordinary listener none is. */
  readonly set?: string
}

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export type Protocol = (typeof protocols)[number]

type Address = { name: string; host: string; port: number }
const wildcards = new Set(['', '0.0.0.0', '::'])

/** What a client of the listener is told. */
export const endpointFor = (
  { advertisedHost, advertisedPort }: Listener,
  boundPort: number,
): { host: string; port: number } => ({ host: advertisedHost, port: advertisedPort ?? boundPort })

/** The listeners that a configuration describes. Where every address is listened on and none advertised, clients are told `ownName`. */
export function listenersOf(config: BrokerConfig, ownName: string = hostname()): Listener[] | Refusal {
  try {
    return readListeners(config, ownName)
  } catch (problem) {
    if (problem instanceof Problem) return new Refusal('INVALID_CONFIG', problem.message)
    throw problem
  }
}

/** Leaves this file only as a refusal. */
class Problem extends Error {}

function readListeners(config: BrokerConfig, ownName: string): Listener[] {
  const controllers = new Set(config.list('controller.listener.names').map((name) => name.toUpperCase()))
  const protocolOf = protocolMap(config, controllers)
  const opened = addresses(config, 'listeners', protocolOf)
  checkPorts(config, opened)
  checkControllers(config, controllers, opened)
  checkRanges(config, controllers, opened)
  const clients = opened.filter(({ name }) => !controllers.has(name))
  if (clients.length === 0) throw new Problem(noClientListener)
  const advertised = addresses(config, 'advertised.listeners', protocolOf).filter(({ name }) => !controllers.has(name))
  checkAdvertised(config, advertised, clients)
  checkInterBroker(config, protocolOf, advertised.length > 0 ? advertised : clients)
  return opened.map((address) => {
    const role = controllers.has(address.name) ? 'controller' : 'client'
    const protocol = protocolOf(address.name)
    if (role === 'client' && protocol !== 'PLAINTEXT') {
      const what = `Listener ${address.name} is ${protocol}, which is not available yet`
      throw new Problem(`${what}: only PLAINTEXT is. Map it to PLAINTEXT in listener.security.protocol.map.`)
    }
    const told = advertised.find(({ name }) => name === address.name) ?? address
    return {
      name: address.name,
      host: address.host === '' ? undefined : address.host,
      port: address.port,
      protocol,
      advertisedHost: wildcards.has(told.host) ? ownName : told.host,
      advertisedPort: told.port === 0 ? undefined : told.port,
      role,
    }
  })
}

const noClientListener =
  'There must be at least one broker advertised listener. Perhaps all listeners appear in controller.listener.names?'

/** Controller names need no entry as long as nobody has written a map. */
function protocolMap(config: BrokerConfig, controllers: ReadonlySet<string>): (name: string) => Protocol {
  const option = 'listener.security.protocol.map'
  const map = new Map<string, Protocol>()
  if (!config.isSet(option)) for (const name of controllers) map.set(name, 'PLAINTEXT')
  for (const entry of config.string(option).split(',')) {
    if (entry.trim() === '') continue
    const [, name, given = ''] = /^(.*):(.*)$/.exec(entry.trim()) ?? []
    if (name === undefined) throw new Problem(`${option}: '${entry}' is not of the form NAME:PROTOCOL`)
    const protocol = protocols.find((known) => known === given.trim().toUpperCase())
    if (protocol === undefined) throw new Problem(`Invalid security protocol \`${given}\` defined in ${option}`)
    map.set(name.trim().toUpperCase(), protocol)
  }
  return (name) => {
    const protocol = map.get(name)
    if (protocol === undefined) throw new Problem(`No security protocol defined for listener ${name}`)
    return protocol
  }
}

function addresses(config: BrokerConfig, option: string, protocolOf: (name: string) => Protocol): Address[] {
  const texts = config.list(option)
  const found = texts.map(parseAddress)
  for (const { name } of found) protocolOf(name)
  if (new Set(found.map(({ name }) => name)).size < found.length) {
    throw new Problem(`Each listener must have a different name, ${option}: ${texts.join(',')}`)
  }
  return found
}

function parseAddress(text: string): Address {
  const [, name, host, port] = /^(.+):\/\/\[?([\w\-%.:]*)\]?:(\d+)$/.exec(text) ?? []
  if (name === undefined || host === undefined || Number(port) > 65_535) {
    throw new Problem(`Unable to parse ${text} to a broker endpoint: NAME://host:port is expected`)
  }
  return { name: name.toUpperCase(), host, port: Number(port) }
}

/** Two listeners may share a port only on two addresses of which one is IPv4 and one is IPv6. */
function checkPorts(config: BrokerConfig, opened: readonly Address[]): void {
  const families = new Map<number, boolean[]>()
  for (const { host, port } of opened) {
    if (port !== 0) families.set(port, [...(families.get(port) ?? []), host.includes(':')])
  }
  for (const isIpv6 of families.values()) {
    if (isIpv6.length > 2 || (isIpv6.length === 2 && isIpv6[0] === isIpv6[1])) {
      throw new Problem(`Each listener must have a different port, listeners: ${config.string('listeners')}`)
    }
  }
}

/** Each node of a pretended cluster has the port after the one before it; a controller has one port. */
function checkRanges(config: BrokerConfig, controllers: ReadonlySet<string>, opened: readonly Address[]): void {
  const count = config.number('cluster.brokers')
  if (count === 1) return
  const ranges = opened
    .filter(({ port }) => port !== 0)
    .map(({ name, port }) => ({ name, first: port, last: port + (controllers.has(name) ? 0 : count - 1) }))
    .sort((a, b) => a.first - b.first)
  for (const [i, { name, first, last }] of ranges.entries()) {
    const next = ranges[i + 1]
    const taken = `Listener ${name} takes the ports ${first} to ${last}, one for each of ${count} brokers`
    if (last > 65_535) throw new Problem(`${taken}; 65535 is the last there is.`)
    if (next !== undefined && next.first <= last) throw new Problem(`${taken}; ${next.name} begins at ${next.first}.`)
  }
}

function checkControllers(config: BrokerConfig, controllers: ReadonlySet<string>, opened: readonly Address[]): void {
  if (!config.isSet('process.roles') || !config.list('process.roles').includes('controller')) return
  if ([...controllers].every((name) => opened.some((address) => address.name === name))) return
  const must = "controller.listener.names must only contain values appearing in the 'listeners' configuration"
  throw new Problem(`${must} when process.roles holds controller`)
}

function checkAdvertised(config: BrokerConfig, advertised: readonly Address[], clients: readonly Address[]): void {
  if (config.isSet('advertised.listeners') && advertised.length === 0) throw new Problem(noClientListener)
  for (const { name, host } of advertised) {
    if (!clients.some((client) => client.name === name)) {
      const must = 'advertised.listeners listener names must be equal to or a subset of the ones defined in listeners'
      throw new Problem(`${must}. Found ${name}; listeners has ${clients.map((client) => client.name).join(', ')}.`)
    }
    if (host === '0.0.0.0' || host === '::') {
      const why = `advertised.listeners cannot use the nonroutable meta-address ${host}`
      throw new Problem(`${why}. Use an address that clients can reach.`)
    }
  }
}

function checkInterBroker(
  config: BrokerConfig,
  protocolOf: (name: string) => Protocol,
  advertised: readonly Address[],
): void {
  const option = 'inter.broker.listener.name'
  if (!config.isSet(option)) return
  if (config.isSet('security.inter.broker.protocol')) {
    throw new Problem(`Only one of ${option} and security.inter.broker.protocol should be set.`)
  }
  const name = config.string(option).toUpperCase()
  protocolOf(name)
  if (advertised.some((address) => address.name === name)) return
  const valid = advertised.map((address) => address.name).join(', ')
  throw new Problem(`${option} must be a listener name defined in advertised.listeners, one of: ${valid}`)
}

/** As the official image does where only `advertised.listeners` is given: the same names and ports, on every address. */
export const listenersFromAdvertised = (advertised: string): string =>
  advertised
    .split(',')
    .map((text) => text.trim().replace(/:\/\/.*:/, '://0.0.0.0:'))
    .join(',')
