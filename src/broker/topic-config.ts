// The configuration of one topic: its own overrides, and below them what the broker says. A value, made anew at a change.

import { Refusal } from '../../protocol/errors.ts'
import type { Protection } from '../branch/branch-config.ts'
import { plainPointer } from '../revision/json-scalars.ts'
import { type KeepRule, parseKeepRule } from '../revision/keep-rules.ts'
import type { RevisionConfig } from '../revision/revision-config.ts'
import type { ViewConfig } from '../revision/view-config.ts'
import { branchTopicRows } from './branch-config-rows.ts'
import { BrokerConfig } from './broker-config.ts'
import {
  alterOverrides,
  type ConfigAssignment,
  type ConfigOperation,
  type Overrides,
  replaceOverrides,
} from './config-alter.ts'
import { type ConfigEntry, type ConfigSynonym, configEntry, type DescribeRequest, wants } from './config-entry.ts'
import { ConfigTable, type ConfigValue, configSources, formatConfig, parseConfig } from './config-table.ts'
import { revisionTopicRows } from './revision-config-rows.ts'
import { type TopicRow, topicRows } from './topic-config-rows.ts'
import { refuseViewValues, viewConfigOf } from './view-config.ts'
import { viewTopicRows } from './view-config-rows.ts'

export const topicConfigTable = new ConfigTable<TopicRow>([
  ...topicRows,
  ...branchTopicRows,
  ...revisionTopicRows,
  ...viewTopicRows,
])

export class TopicConfig {
  readonly #broker: BrokerConfig
  readonly #overrides: ReadonlyMap<string, string>

  readonly cleanupPolicy: { readonly delete: boolean; readonly compact: boolean }
  readonly compressionType: string
  readonly flushMessages: number
  readonly flushMs: number
  readonly indexIntervalBytes: number
  readonly maxDecompressedMessageBytes: number
  readonly maxMessageBytes: number
  readonly maxCompactionLagMs: number
  readonly minCompactionLagMs: number
  readonly minInsyncReplicas: number
  readonly minCleanableDirtyRatio: number
  readonly deleteRetentionMs: number
  /** -1: without limit. */
  readonly retentionBytes: number
  /** -1: for ever. */
  readonly retentionMs: number
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly timestampAfterMaxMs: number
  readonly timestampBeforeMaxMs: number
  readonly timestampType: string
  /** Who may write, where it is not everybody. */
  readonly protection: Protection
  /** -1: a branch that is not used stays. */
  readonly branchTtlMs: number
  /** How revisions are kept; undefined where they are not. */
  readonly revision: RevisionConfig | undefined
  /** JSON Pointers that are indexed. */
  readonly pointers: readonly string[]
  /** What the topic shows of another one; undefined where it has records of its own. */
  readonly view: ViewConfig | undefined

  /** Its records are about keys, each of which has a value: merges and reverts go by key. */
  get isKeyed(): boolean {
    return this.cleanupPolicy.compact || this.revision !== undefined
  }

  /** Takes overrides that validateTopicConfigs has passed. */
  constructor(broker: BrokerConfig, overrides: ReadonlyMap<string, string> = new Map()) {
    this.#broker = broker
    this.#overrides = overrides
    const policy = this.list('cleanup.policy')
    this.cleanupPolicy = { delete: policy.includes('delete'), compact: policy.includes('compact') }
    this.compressionType = this.string('compression.type')
    const flush = this.#flush()
    this.flushMessages = flush.messages
    this.flushMs = flush.ms
    this.indexIntervalBytes = this.number('index.interval.bytes')
    this.maxDecompressedMessageBytes = this.number('max.decompressed.message.bytes')
    this.maxMessageBytes = this.number('max.message.bytes')
    this.maxCompactionLagMs = this.number('max.compaction.lag.ms')
    this.minInsyncReplicas = this.number('min.insync.replicas')
    this.minCompactionLagMs = this.number('min.compaction.lag.ms')
    this.minCleanableDirtyRatio = this.number('min.cleanable.dirty.ratio')
    this.deleteRetentionMs = this.number('delete.retention.ms')
    this.retentionBytes = Math.max(-1, this.number('retention.bytes'))
    this.retentionMs = Math.max(-1, this.number('retention.ms'))
    this.segmentBytes = this.number(
      overrides.has('internal.segment.bytes') ? 'internal.segment.bytes' : 'segment.bytes',
    )
    const segmentMs = this.number('segment.ms')
    this.segmentMs = this.cleanupPolicy.compact ? Math.min(segmentMs, this.maxCompactionLagMs) : segmentMs
    this.timestampAfterMaxMs = this.number('message.timestamp.after.max.ms')
    this.timestampBeforeMaxMs = this.number('message.timestamp.before.max.ms')
    this.timestampType = this.string('message.timestamp.type')
    this.protection = this.string('branch.protect') as Protection
    this.branchTtlMs = this.number('branch.ttl.ms')
    this.revision = this.#hasRevisions ? this.#revision() : undefined
    this.pointers = this.list('revision.index.json').flatMap((text) => plainPointer(text) ?? [])
    this.view = viewConfigOf(overrides)
  }

  #keepRule(name: string): KeepRule {
    const rule = parseKeepRule(this.list(name).join(','))
    if (typeof rule === 'string') throw new Error(rule)
    return rule
  }

  get #hasRevisions(): boolean {
    return /^\s*true\s*$/i.test(this.#overrides.get('revision.diff') ?? '')
  }

  #revision(): RevisionConfig {
    return {
      keep: this.#keepRule('revision.keep'),
      largeBytes: this.number('revision.large.bytes'),
      largeKeep: this.#keepRule('revision.large.keep'),
      keyframeEvery: this.number('revision.keyframe.every'),
      diffMaxBytes: this.number('revision.diff.max.bytes'),
      packLagMs: this.number('revision.pack.lag.ms'),
    }
  }

  /** `flush.policy` is the broker's word for all topics; a topic that says more about itself is believed. */
  #flush(): { messages: number; ms: number } {
    const said = { messages: this.number('flush.messages'), ms: this.number('flush.ms') }
    if (this.#overrides.has('flush.messages') || this.#overrides.has('flush.ms')) return said
    switch (this.#broker.string('flush.policy')) {
      case 'none':
        return { messages: never, ms: never }
      case 'interval':
        return { messages: never, ms: said.ms === never ? flushIntervalMs : said.ms }
      case 'batch':
        return { messages: 1, ms: said.ms }
      default:
        return said
    }
  }

  value(name: string): ConfigValue {
    const row = topicConfigTable.row(name)
    if (row === undefined) throw new Error(`${name} is not in the table`)
    const own = this.#overrides.get(name) ?? this.#defaultOfRevisions(row)
    if (own !== undefined) return parsed(row, own)
    const inherited = row.broker === undefined ? null : this.#broker.value(row.broker)
    return inherited ?? defaultOf(row)
  }

  #defaultOfRevisions({ ofRevisions }: TopicRow): string | undefined {
    return ofRevisions !== undefined && this.#hasRevisions ? ofRevisions : undefined
  }

  /** Beyond 2^53 the nearest one: Long.MAX_VALUE is 2^63. */
  number(name: string): number {
    const value = this.value(name)
    if (typeof value !== 'number' && typeof value !== 'bigint') throw new Error(`${name} is not a number`)
    return Number(value)
  }

  boolean(name: string): boolean {
    return this.value(name) === true
  }

  string(name: string): string {
    return String(this.value(name) ?? '')
  }

  list(name: string): readonly string[] {
    const value = this.value(name)
    return Array.isArray(value) ? value : []
  }

  /** The overrides as they are persisted. */
  overrides(): Overrides {
    return Object.fromEntries(this.#overrides)
  }

  /** The value in force as DescribeConfigs prints it. */
  text(name: string): string | null {
    return this.describe({ synonyms: false, documentation: false, names: [name] })[0]?.value ?? null
  }

  describe(request: DescribeRequest): ConfigEntry[] {
    return [...topicConfigTable]
      .filter((row) => this.#lists(row) && wants(request, row.name))
      .map((row) => {
        const readOnly = row.fixed === true
        const shown = { name: row.name, value: this.#print(row), readOnly, synonyms: this.#synonyms(row) }
        return configEntry(row, shown, request)
      })
  }

  /** Names of ours are listed where they are used, those that have a default with the others of their group. */
  #lists({ name, internal, group, default: value }: TopicRow): boolean {
    if (internal !== true || this.#overrides.has(name)) return true
    return group !== undefined && value !== null && this.#usesGroup(`${group}.`)
  }

  #usesGroup(beginning: string): boolean {
    for (const name of this.#overrides.keys()) if (name.startsWith(beginning)) return true
    return false
  }

  #print(row: TopicRow): string | null {
    return formatConfig(row.type, this.value(row.name))
  }

  #synonyms(row: TopicRow): ConfigSynonym[] {
    const { name, broker } = row
    const own = this.#overrides.get(name)
    const value = this.#defaultOfRevisions(row)
    const ofBroker = () => (broker === undefined ? [] : this.#broker.synonyms(broker))
    const inherited = value === undefined ? ofBroker() : [{ name, value, source: configSources.default }]
    return own === undefined ? inherited : [{ name, value: own, source: configSources.topic }, ...inherited]
  }

  /** The overrides after `operations`, checked. Changes nothing. */
  alter(operations: readonly ConfigOperation[]): Overrides | Refusal {
    const inherited = (name: string) => this.text(name)
    const next = alterOverrides({ table: topicConfigTable, overrides: this.overrides(), inherited }, operations)
    return next instanceof Refusal ? next : (validateTopicConfigs(new Map(Object.entries(next)), this.#broker) ?? next)
  }

  /** As alter, all older overrides gone. */
  replace(assignments: readonly ConfigAssignment[]): Overrides | Refusal {
    const next = replaceOverrides(assignments)
    return next instanceof Refusal ? next : (validateTopicConfigs(new Map(Object.entries(next)), this.#broker) ?? next)
  }
}

/** Long.MAX_VALUE as a number. */
const never = 2 ** 63
/** How often flush.policy=interval flushes where nobody says. */
const flushIntervalMs = 1000

const defaults = new Map<TopicRow, ConfigValue>()

function defaultOf(row: TopicRow): ConfigValue {
  let value = defaults.get(row)
  if (value === undefined) {
    value = parsed(row, row.default)
    defaults.set(row, value)
  }
  return value
}

function parsed(row: TopicRow, text: string | null): ConfigValue {
  const value = text === null ? null : parseConfig(row, text)
  if (value instanceof Refusal) throw new Error(value.message)
  return value
}

/** What topics with the same overrides share, until the broker's own values change. */
const shared = new WeakMap<object, Map<string, TopicConfig>>()
const sharedMax = 256

/** As `new TopicConfig`, but made once for all topics that say the same: a fork says what its parent does. */
export function topicConfigOf(broker: BrokerConfig, overrides: Overrides): TopicConfig {
  const known = shared.get(broker.edition) ?? new Map<string, TopicConfig>()
  shared.set(broker.edition, known)
  const key = JSON.stringify(overrides)
  const found = known.get(key) ?? new TopicConfig(broker, new Map(Object.entries(overrides)))
  if (known.size < sharedMax) known.set(key, found)
  return found
}

/** A broker of which nobody has said anything; kept, for what it has looked up once it knows. */
const stockBroker = new BrokerConfig()

/** What stands against a set of overrides; undefined if a topic can have them. */
export function validateTopicConfigs(
  overrides: ReadonlyMap<string, string | null>,
  broker: BrokerConfig = stockBroker,
): Refusal | undefined {
  const given: [string, string][] = []
  for (const [name, value] of overrides) {
    if (value === null) return new Refusal('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
    given.push([name, value])
  }
  if (given.length === 0 && broker === stockBroker) return undefined // most topics, and all their forks
  const wrong = refuseUnknown(given) ?? refuseValues(given) ?? refuseViewValues(new Map(given))
  if (wrong !== undefined) return wrong
  const config = new TopicConfig(broker, new Map(given))
  return refuseLags(config) ?? refuseCompaction(config)
}

function refuseUnknown(given: readonly (readonly [string, string])[]): Refusal | undefined {
  const unknown = given.find(([name]) => topicConfigTable.row(name) === undefined)
  return unknown && new Refusal('INVALID_CONFIG', `Unknown topic config name: ${unknown[0]}`)
}

function refuseValues(given: readonly (readonly [string, string])[]): Refusal | undefined {
  for (const [name, text] of given) {
    const value = parseConfig(topicConfigTable.row(name)!, text)
    if (value instanceof Refusal) return value
  }
  return undefined
}

function refuseLags({ minCompactionLagMs, maxCompactionLagMs }: TopicConfig): Refusal | undefined {
  if (minCompactionLagMs <= maxCompactionLagMs) return undefined
  const shown = `min.compaction.lag.ms (${minCompactionLagMs}) > max.compaction.lag.ms (${maxCompactionLagMs})`
  return new Refusal('INVALID_CONFIG', `conflict topic config setting ${shown}`)
}

function refuseCompaction({ revision, cleanupPolicy }: TopicConfig): Refusal | undefined {
  if (revision === undefined || !cleanupPolicy.compact) return undefined
  const message =
    'cleanup.policy=compact keeps the last value of a key alone and revision.diff=true all of them: set cleanup.policy=delete in the same request, or leave revision.diff off.'
  return new Refusal('INVALID_CONFIG', message)
}
