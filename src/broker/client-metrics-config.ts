// Subscriptions to client metrics (KIP-714): kept and told. No client is asked for metrics, since nothing here takes them.

import { Refusal } from '../../protocol/errors.ts'
import type { Overrides } from './config-alter.ts'
import type { ConfigSynonym } from './config-entry.ts'
import { type ConfigRow, ConfigTable, configSources, parseConfig } from './config-table.ts'
import type { MetadataLog } from './metadata-log.ts'
import { NamedConfigs } from './named-config.ts'

const none = 'Accepted without effect: no client is asked for its metrics.'
const table = new ConfigTable<ConfigRow>([
  { name: 'interval.ms', type: 'int', default: '300000', effect: false, doc: none },
  { name: 'match', type: 'list', default: '', effect: false, doc: none },
  { name: 'metrics', type: 'list', default: '', effect: false, doc: none },
])

const intervalMsMin = 100
const intervalMsMax = 3_600_000
const matchable = new Set([
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
])

export class ClientMetricsConfigs extends NamedConfigs<ConfigRow> {
  constructor(metadata: MetadataLog) {
    super(metadata, 'client-metrics', configSources.clientMetrics, table)
  }

  /** As in Kafka a default here is no synonym. */
  protected override inherited(): ConfigSynonym[] {
    return []
  }

  protected override refuse(overrides: Readonly<Overrides>): Refusal | undefined {
    for (const [name, text] of Object.entries(overrides)) {
      const row = this.table.row(name)
      if (row === undefined) return new Refusal('INVALID_REQUEST', `Unknown client metrics configuration: ${name}`)
      const value = parseConfig(row, text)
      if (value instanceof Refusal) return value
      if (name === 'interval.ms' && (Number(value) < intervalMsMin || Number(value) > intervalMsMax)) {
        const range = `interval must be between ${intervalMsMin} and ${intervalMsMax} (1 hour)`
        return new Refusal('INVALID_REQUEST', `Invalid value ${value} for interval.ms, ${range}`)
      }
      const bad = name === 'match' && (value as string[]).find((pattern) => !isPattern(pattern))
      if (bad) return new Refusal('INVALID_CONFIG', `Illegal client matching pattern: ${bad}`)
    }
    return undefined
  }
}

function isPattern(text: string): boolean {
  // As Java splits: empty parts at the end are none.
  const [name = '', pattern, ...more] = text.replace(/=+$/, '').split('=')
  if (!matchable.has(name.trim()) || pattern === undefined || more.length > 0) return false
  try {
    // What Java's expressions have beyond ours: possessive repetition, and flags in the middle.
    new RegExp(
      pattern.replace(/([*+?}])\+/g, '$1').replace(/\(\?[a-zA-Z-]+([:)])/g, (_, end) => (end === ':' ? '(?:' : '')),
    )
    return true
  } catch {
    return false
  }
}
