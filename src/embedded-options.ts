// Options of a program that has the broker inside, as far as types cannot know them: plain JavaScript spells them as it likes, and
// a misspelt one would put a log into memory that was meant for the disk.

import { unknownNames } from './cli/settings.ts'
import type { BrokerOptions, TopicOptions } from './embedded.ts'
import type { HttpOptions } from './http-port.ts'

const known: Readonly<Record<keyof BrokerOptions, true>> = {
  port: true,
  listeners: true,
  brokers: true,
  storage: true,
  data: true,
  topics: true,
  config: true,
  settings: true,
  http: true,
  onRequest: true,
}
const knownOfTopic: Readonly<Record<keyof TopicOptions, true>> = { name: true, partitions: true, config: true }
const knownOfHttp: Readonly<Record<keyof HttpOptions, true>> = { port: true, host: true, hosts: true, orNone: true }
const storages = ['memory', 'mapped', 'plain']

/** The same options. Throws TypeError, which names what is wrong and what there is. */
export function checked(options: BrokerOptions): BrokerOptions {
  const { topics = [], http } = options
  const wrong =
    strangeIn(options, known, 'a broker') ??
    (typeof http === 'object' ? strangeIn(http, knownOfHttp, 'HTTP') : undefined) ??
    topics.map(againstTopic).find((reason) => reason !== undefined) ??
    againstStorage(options) ??
    againstListeners(options) ??
    strangeConfigIn(options)
  if (wrong !== undefined) throw new TypeError(wrong)
  return options
}

function strangeIn(options: object, known: object, owner: string): string | undefined {
  const strange = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  return strange && `there is no option '${strange}' of ${owner}; there are ${Object.keys(known).join(', ')}`
}

function againstTopic(topic: string | TopicOptions): string | undefined {
  if (typeof topic === 'string') return undefined
  return (
    strangeIn(topic, knownOfTopic, 'a topic') ?? (typeof topic.name === 'string' ? undefined : 'a topic has a name')
  )
}

function againstStorage({ storage, data }: BrokerOptions): string | undefined {
  if (typeof storage === 'string' && !storages.includes(storage))
    return `storage is one of ${storages.join(', ')} or a store, not '${storage}'`
  if (storage !== 'memory' || data === undefined) return undefined
  return `storage: 'memory' writes nothing to '${data}': leave data or storage out`
}

function againstListeners({ listeners, port }: BrokerOptions): string | undefined {
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
    return `port is a number from 0 to 65535, not ${JSON.stringify(port)}`
  if (listeners === undefined) return undefined
  if (port !== undefined) return 'port and listeners say the same thing: leave one out'
  if (listeners.some(({ role }) => role === 'client')) return undefined
  return 'listeners holds none for clients: leave it out for one at the loopback address'
}

/** Of the command line's options a misspelt one is a warning, as Kafka's; here nobody may be looking at what is said. */
function strangeConfigIn({ config = {} }: BrokerOptions): string | undefined {
  const settings = Object.keys(config).map((name) => [name, { value: '', origin: 'config' }] as const)
  return unknownNames(new Map(settings))[0]
}
