// The options of the broker: what was said at its start, what clients changed while it ran, and the default below both.

import { Refusal } from '../../protocol/errors.ts'
import { authorizerRows } from './authorizer-config-rows.ts'
import { branchBrokerRows } from './branch-config-rows.ts'
import { ignoredRows } from './broker-config-ignored.ts'
import type { BrokerRow } from './broker-config-row.ts'
import { effectiveRows } from './broker-config-rows.ts'
import {
  alterOverrides,
  type ConfigAssignment,
  type ConfigOperation,
  type Overrides,
  replaceOverrides,
} from './config-alter.ts'
import { type ConfigEntry, type ConfigSynonym, configEntry, type DescribeRequest, wants } from './config-entry.ts'
import { ConfigTable, type ConfigValue, configSources, parseConfig } from './config-table.ts'
import { refuseWhileRunning } from './dynamic-limits.ts'
import { shareRows } from './share-config-rows.ts'
import { transactionRows } from './transaction-config-rows.ts'

/** Open: rooms that come later add their rows. */
export const brokerConfigTable = new ConfigTable<BrokerRow>([
  ...effectiveRows,
  ...authorizerRows,
  ...branchBrokerRows,
  ...shareRows,
  ...transactionRows,
  ...ignoredRows,
])

/** A value given at the start, and by whom: `command line`, `environment`, a file name. */
export type Setting = { readonly value: string; readonly origin: string }

/** Where the first has no value the next one speaks, in its own unit. */
const chains: Readonly<Record<string, readonly string[]>> = {
  'log.retention.ms': ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  'log.retention.minutes': ['log.retention.minutes', 'log.retention.hours'],
  'log.roll.ms': ['log.roll.ms', 'log.roll.hours'],
  'log.roll.jitter.ms': ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  'log.flush.interval.ms': ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
}
const chainOf = (name: string): readonly string[] => chains[name] ?? [name]
const unitMs = (name: string): number => (name.endsWith('.hours') ? 3_600_000 : name.endsWith('.minutes') ? 60_000 : 1)

/** One broker: its number is also the name of its own dynamic values; those of all brokers are named ''. */
const allBrokers = ''

/** What stands against a set of start values; undefined if the broker can start with them. */
export function validateBrokerConfigs(settings: ReadonlyMap<string, Setting>): Refusal | undefined {
  for (const [name, { value, origin }] of settings) {
    const refusal = refuseValue(name, value)
    if (refusal !== undefined) return new Refusal('INVALID_CONFIG', `${refusal.message} (from the ${origin})`)
  }
  const bytesOf = (name: string) => Number(settings.get(name)?.value ?? brokerConfigTable.row(name)?.default)
  const queuedBytesMax = bytesOf('queued.max.request.bytes')
  if (queuedBytesMax > 0 && queuedBytesMax < bytesOf('socket.request.max.bytes')) {
    const message = 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes'
    return new Refusal('INVALID_CONFIG', `${message}; below it a request could never come in.`)
  }
  const [nodeId, brokerId] = [settings.get('node.id')?.value.trim(), settings.get('broker.id')?.value.trim()]
  if (nodeId === undefined || brokerId === undefined || nodeId === brokerId) return undefined
  const message = `node.id is ${nodeId} and broker.id is ${brokerId}: they must be the same; broker.id may be left out.`
  return new Refusal('INVALID_CONFIG', message)
}

function refuseValue(name: string, value: string): Refusal | undefined {
  const row = brokerConfigTable.row(name)
  const parsed = row === undefined ? null : parseConfig(row, value)
  return parsed instanceof Refusal ? parsed : undefined
}

export class BrokerConfig {
  readonly #static = new Map<string, Setting>()
  /** By resource name: '' and the broker's own number. */
  readonly #dynamic = new Map<string, Readonly<Overrides>>()
  readonly #values = new Map<string, ConfigValue>()
  readonly #texts = new Map<string, string | null>()
  /** Another one whenever a value may have changed: for those who keep what they have read. */
  edition = {}

  /** Takes values that validateBrokerConfigs has passed. */
  constructor(settings: Iterable<readonly [string, Setting | string]> = []) {
    for (const [name, given] of settings) {
      this.#static.set(name, typeof given === 'string' ? { value: given, origin: 'program' } : given)
    }
    // Kafka does not start without a number, so for whoever asks it is what the broker was started with, said or not.
    const unsaid = { value: '1', origin: 'default' }
    const id = this.#static.get('node.id') ?? this.#static.get('broker.id') ?? unsaid
    this.#static.set('node.id', id).set('broker.id', id)
  }

  /** The value in force as text; null where there is none. */
  text(name: string): string | null {
    let text = this.#texts.get(name)
    if (text === undefined) {
      text = this.#layers(name)[0]?.value ?? null
      this.#texts.set(name, text)
    }
    return text
  }

  /** The value in force. `log.retention.ms` and its like ask their coarser sisters. */
  value(name: string): ConfigValue {
    let value = this.#values.get(name)
    if (value === undefined) {
      value = this.#resolve(name)
      this.#values.set(name, value)
    }
    return value
  }

  #resolve(name: string): ConfigValue {
    const speaker = chainOf(name).find((each) => this.text(each) !== null)
    const row = brokerConfigTable.row(speaker ?? name)
    if (speaker === undefined || row === undefined) return this.text(name)
    const value = parseConfig(row, this.text(speaker)!)
    if (value instanceof Refusal) throw new Error(value.message)
    return typeof value === 'number' && value > 0 ? (value * unitMs(speaker)) / unitMs(name) : value
  }

  /** For options that always have a number. Beyond 2^53 the nearest one: Long.MAX_VALUE is 2^63. */
  number(name: string): number {
    const value = this.value(name)
    if (typeof value !== 'number' && typeof value !== 'bigint') throw new Error(`${name} is not a number`)
    return Number(value)
  }

  boolean(name: string): boolean {
    return this.value(name) === true
  }

  /** Empty where there is no value. */
  string(name: string): string {
    return this.text(name)?.trim() ?? ''
  }

  /** Empty where there is no value. */
  list(name: string): readonly string[] {
    const value = this.value(name)
    return Array.isArray(value) ? value : []
  }

  /** Whether anyone has given a value, at the start or later. */
  isSet(name: string): boolean {
    return (this.#layers(name)[0]?.source ?? configSources.default) !== configSources.default
  }

  /** Where the value in force comes from, in words. */
  origin(name: string): string {
    const source = this.#layers(name)[0]?.source
    if (source === configSources.staticBroker) return this.#static.get(name)!.origin
    return source === configSources.default || source === undefined ? 'default' : 'changed while running'
  }

  get #ownName(): string {
    return this.#static.get('node.id')!.value.trim()
  }

  /** The strongest first. */
  #layers(name: string): ConfigSynonym[] {
    const given = [
      [configSources.dynamicBroker, this.#dynamic.get(this.#ownName)?.[name]],
      [configSources.dynamicDefaultBroker, this.#dynamic.get(allBrokers)?.[name]],
      [configSources.staticBroker, this.#static.get(name)?.value],
      [configSources.default, brokerConfigTable.row(name)?.default ?? undefined],
    ] as const
    return given.flatMap(([source, value]) => (value === undefined ? [] : [{ name, value, source }]))
  }

  /**
   * Who gives this value, and who would if the former did not: by strength of the layer, then along the chain. As in
   * Kafka nothing is said before the name itself has spoken: with log.retention.hours alone, log.retention.ms has none.
   */
  synonyms(name: string): ConfigSynonym[] {
    const all = chainOf(name)
      .flatMap((each) => this.#layers(each))
      .sort((a, b) => a.source - b.source)
    const first = all.findIndex((synonym) => synonym.name === name)
    return first === -1 ? [] : all.slice(first)
  }

  /** The entries of a broker ('1'), or the values that were given to all brokers (''). */
  describe(name: string, request: DescribeRequest): ConfigEntry[] {
    if (name === allBrokers) return this.#describeAllBrokers(request)
    return (name === this.#ownName ? this : this.#as(name)).#describeBroker(request)
  }

  /** The same options for another node of the cluster that this process pretends to be. */
  #as(name: string): BrokerConfig {
    const number = { value: name, origin: 'cluster.brokers' }
    const other = new BrokerConfig([...this.#static, ['node.id', number], ['broker.id', number]])
    for (const [each, overrides] of this.#dynamic) other.#dynamic.set(each, overrides)
    return other
  }

  #describeBroker(request: DescribeRequest): ConfigEntry[] {
    return this.#names()
      .filter((name) => wants(request, name))
      .map((name) => {
        const row = brokerConfigTable.row(name)
        const shown = {
          name,
          value: this.text(name),
          readOnly: row?.dynamic === undefined,
          synonyms: this.synonyms(name),
        }
        return configEntry(row?.ofPlugin ? undefined : row, shown, request)
      })
  }

  #describeAllBrokers(request: DescribeRequest): ConfigEntry[] {
    const source = configSources.dynamicDefaultBroker
    return Object.entries(this.#dynamic.get(allBrokers) ?? {})
      .filter(([name]) => wants(request, name))
      .map(([name, value]) => {
        const shown = { name, value, readOnly: false, synonyms: [{ name, value, source }] }
        return configEntry(brokerConfigTable.row(name), shown, request)
      })
  }

  #names(): string[] {
    const listed = [...brokerConfigTable].filter((row) => row.internal !== true).map((row) => row.name)
    const dynamic = [...this.#dynamic.values()].flatMap((overrides) => Object.keys(overrides))
    return [...new Set([...listed, ...this.#static.keys(), ...dynamic])]
  }

  /** The dynamic values of `name` ('1' or '') after `operations`. Changes nothing: give the result to fromRecord. */
  alter(name: string, operations: readonly ConfigOperation[]): Overrides | Refusal {
    const current = {
      table: brokerConfigTable,
      overrides: this.toRecord(name),
      inherited: (each: string) => this.text(each),
    }
    const next = alterOverrides(current, operations)
    return next instanceof Refusal ? next : (this.#refuseDynamic(name, next) ?? next)
  }

  /** As alter, all older dynamic values of `name` gone. */
  replace(name: string, assignments: readonly ConfigAssignment[]): Overrides | Refusal {
    const next = replaceOverrides(assignments)
    return next instanceof Refusal ? next : (this.#refuseDynamic(name, next) ?? next)
  }

  /** The real broker answers these with INVALID_REQUEST, where a topic's would be INVALID_CONFIG. */
  #refuseDynamic(name: string, next: Readonly<Overrides>): Refusal | undefined {
    const rows = Object.keys(next).flatMap((each) => brokerConfigTable.row(each) ?? [])
    const fixed = rows.filter((row) => row.dynamic === undefined)
    if (fixed.length > 0) return dynamicRefusal('Cannot update these configs dynamically', fixed)
    const perBroker = rows.filter((row) => row.dynamic === 'broker')
    const perListener = perBroker.filter(
      (row) => /^ssl\.(key|trust)/.test(row.name) && !row.name.endsWith('.algorithm'),
    )
    if (perListener.length > 0) {
      const why = 'These security configs can be dynamically updated only per-listener using the listener prefix'
      return dynamicRefusal(why, perListener)
    }
    if (name === allBrokers && perBroker.length > 0) {
      return dynamicRefusal(
        'Cannot update these configs at default cluster level, broker id must be specified',
        perBroker,
      )
    }
    for (const [each, value] of Object.entries(next)) {
      const refusal = refuseValue(each, value)
      const why = refusal === undefined ? this.#refuseChange(name, each, value) : refusal.message
      if (why !== undefined) return new Refusal('INVALID_REQUEST', why)
    }
    return undefined
  }

  #refuseChange(of: string, name: string, text: string): string | undefined {
    const row = brokerConfigTable.row(name)
    if (row === undefined || this.#dynamic.get(of)?.[name] === text) return undefined
    const value = parseConfig(row, text)
    return value instanceof Refusal ? undefined : refuseWhileRunning(row, text, value, this)
  }

  /** The dynamic values of `name` as they are persisted. */
  toRecord(name: string): Overrides {
    return { ...this.#dynamic.get(name) }
  }

  /** Puts persisted dynamic values in force. */
  fromRecord(name: string, overrides: Readonly<Overrides>): void {
    this.#dynamic.set(name, { ...overrides })
    this.#values.clear()
    this.#texts.clear()
    this.edition = {}
  }
}

const dynamicRefusal = (why: string, rows: readonly BrokerRow[]): Refusal =>
  new Refusal('INVALID_REQUEST', `${why}: [${rows.map(({ name }) => name).join(', ')}]`)
