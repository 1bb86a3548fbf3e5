// Options from the environment and from a server.properties file, by the names that Kafka's images give them.

import { brokerConfigTable, type Setting } from '../broker/broker-config.ts'
import { topicConfigTable } from '../broker/topic-config.ts'

export type Settings = Map<string, Setting>
export type Environment = Readonly<Record<string, string | undefined>>

/** Variables of the official image that are not options of the broker. */
const excluded = new Set([
  'KAFKA_VERSION',
  'KAFKA_HEAP_OPTS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_OPTS',
  'KAFKA_JMX_OPTS',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_LOG4J_ROOT_LOGLEVEL',
  'KAFKA_LOG4J_LOGGERS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
  'KAFKA_JMX_HOSTNAME',
])

/** `KAFKA_A_B` is `a.b`, two underscores are one, three are a hyphen. Bitnami's `KAFKA_CFG_A_B` is the same. */
export function optionName(variable: string): string | undefined {
  const [, rest] = /^KAFKA_(?:CFG_)?(.+)$/.exec(variable) ?? []
  if (rest === undefined || excluded.has(variable)) return undefined
  return rest.toLowerCase().replaceAll('_', '.').replaceAll('...', '-').replaceAll('..', '_')
}

/** Names under which images hand over the id of the cluster. */
const clusterIdVariables = ['CLUSTER_ID', 'KAFKA_KRAFT_CLUSTER_ID', 'KAFKA_CLUSTER_ID']

export function settingsFromEnvironment(environment: Environment): Settings {
  const settings: Settings = new Map()
  for (const [variable, value] of Object.entries(environment)) {
    const name = optionName(variable)
    if (name === undefined || value === undefined || clusterIdVariables.includes(variable)) continue
    settings.set(name, { value, origin: `environment, ${variable}` })
  }
  for (const variable of clusterIdVariables) {
    const value = environment[variable]
    if (value !== undefined) settings.set('cluster.id', { value, origin: `environment, ${variable}` })
  }
  return settings
}

/** Java's syntax for properties: escapes, continued lines, `=`, `:` or blanks between name and value. */
export async function settingsFromProperties(text: string, fileName: string): Promise<Settings> {
  const { getProperties } = await import('properties-file')
  return settingsIn(getProperties, text, fileName)
}

/** The same with what reads properties at hand. */
export function settingsIn(read: (text: string) => Record<string, string>, text: string, fileName: string): Settings {
  const origin = `file ${fileName}`
  // Editors of Windows put a mark in front, which would be part of the first name.
  const properties = read(text.replace(/^\ufeff/, ''))
  return new Map(Object.entries(properties).map(([name, value]) => [name, { value, origin }]))
}

/** Gone since Kafka 4.0, or of a client or an image: not worth a warning. */
const harmless =
  /^(zookeeper\.|password\.encoder\.|control\.plane\.listener\.name$|broker\.id\.generation\.enable$|reserved\.broker\.max\.id$|log\.message\.(format\.version|downconversion\.enable|timestamp\.difference\.max\.ms)$|inter\.broker\.protocol\.version$|offsets\.commit\.required\.acks$|group\.coordinator\.new\.enable$|enable\.kraft$|home$|brokers$|bootstrap\.servers$|(leader|follower)\.replication\.throttled\.rate$|replica\.alter\.log\.dirs\.io\.max\.bytes\.per\.second$)/
/** Kafka passes these on to plug-ins and listeners. */
const prefixes = /^(listener\.name\.|rsm\.config\.|rlmm\.config\.|ssl\.|sasl\.)/

/** One sentence for each name that nobody knows, with what was perhaps meant. */
export function unknownNames(settings: ReadonlyMap<string, Setting>): string[] {
  const unknown = [...settings].filter(
    ([name]) => brokerConfigTable.row(name) === undefined && !harmless.test(name) && !prefixes.test(name),
  )
  return unknown.map(([name, { origin }]) => `Unknown option ${name} (${origin}).${suggestion(name)}`)
}

function suggestion(name: string): string {
  const topicRow = topicConfigTable.row(name)
  if (topicRow?.broker !== undefined) {
    return ` It is a configuration of topics; the option that sets its default is ${topicRow.broker}.`
  }
  const near = nearest(
    name,
    [...brokerConfigTable].map((row) => row.name),
  )
  return near === undefined ? '' : ` Did you mean ${near}?`
}

/** The name that the fewest changes lead to, if they are few enough to be a slip. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const distanceMax = Math.max(2, Math.floor(name.length / 4))
  const near = known
    .filter((each) => Math.abs(each.length - name.length) <= distanceMax)
    .map((each) => ({ each, distance: distance(name, each) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return near !== undefined && near.distance <= distanceMax ? near.each : undefined
}

/** Levenshtein: how many letters must be put in, taken out or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
