// The configuration of a group: its own overrides, within what the broker allows, and below them what the broker says.

import { Refusal } from '../../protocol/errors.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { Overrides } from './config-alter.ts'
import type { ConfigSynonym } from './config-entry.ts'
import { ConfigTable, type ConfigValue, configSources, parseConfig } from './config-table.ts'
import { type GroupRow, groupRows } from './group-config-rows.ts'
import type { MetadataLog } from './metadata-log.ts'
import { NamedConfigs } from './named-config.ts'

export const groupConfigTable = new ConfigTable<GroupRow>(groupRows)

/** What counts for one group now; asked for anew each time, so that a change takes effect. */
export type GroupSettings = {
  number(name: string): number
  string(name: string): string
  boolean(name: string): boolean
}

export class GroupConfigs extends NamedConfigs<GroupRow> {
  readonly #broker: BrokerConfig

  constructor(metadata: MetadataLog, broker: BrokerConfig) {
    super(metadata, 'group', configSources.group, groupConfigTable)
    this.#broker = broker
  }

  /** The settings of a group, whether or not anybody has said anything about it. */
  of(group: string): GroupSettings {
    const text = (name: string) => String(this.#value(group, name))
    return {
      number: (name) => Number(this.#value(group, name)),
      string: text,
      boolean: (name) => text(name) === 'true',
    }
  }

  #value(group: string, name: string): ConfigValue {
    const row = this.table.row(name)
    if (row === undefined) throw new Error(`${name} is not in the table`)
    const own = this.overrides(group)[name]
    if (own === undefined) return row.broker === undefined ? row.default : this.#broker.value(row.broker)
    const value = parseConfig(row, own)
    if (value instanceof Refusal) throw new Error(value.message)
    // The range may have become narrower since: then the nearest value that it allows.
    const [least, most] = this.#range(row)
    return typeof value === 'number' ? Math.min(most, Math.max(least, value)) : value
  }

  #range({ within }: GroupRow): readonly [least: number, most: number] {
    if (within === undefined) return [-Infinity, Infinity]
    const { least, most } = within
    return [least === undefined ? -Infinity : this.#broker.number(least), this.#broker.number(most)]
  }

  protected override inherited({ name, broker, default: value }: GroupRow): ConfigSynonym[] {
    return broker === undefined ? [{ name, value, source: configSources.default }] : this.#broker.synonyms(broker)
  }

  protected override refuse(overrides: Readonly<Overrides>): Refusal | undefined {
    const invalid = (why: string) => new Refusal('INVALID_CONFIG', why)
    const unknown = Object.keys(overrides).find((name) => this.table.row(name) === undefined)
    if (unknown !== undefined) return invalid(`Unknown group config name: ${unknown}`)
    const values = Object.entries(overrides).map(([name, text]) => {
      const row = this.table.row(name)!
      return [row, parseConfig(row, text)] as const
    })
    for (const [, value] of values) if (value instanceof Refusal) return value
    for (const [row, value] of values) {
      const [least, most] = this.#range(row)
      if (row.within === undefined || (Number(value) >= least && Number(value) <= most)) continue
      return invalid(
        row.within.least === undefined
          ? `${row.name} must be less than or equal to ${most}`
          : `${row.name} must be in the range ${least} to ${most} inclusive.`,
      )
    }
    return this.#refuseHeartbeat(overrides)
  }

  /** Who is heard of more seldom than the session lasts would never stay. */
  #refuseHeartbeat(overrides: Readonly<Overrides>): Refusal | undefined {
    for (const kind of ['consumer', 'share', 'streams']) {
      const [session, heartbeat] = [`${kind}.session.timeout.ms`, `${kind}.heartbeat.interval.ms`]
      if (!(session in overrides) && !(heartbeat in overrides)) continue
      const inForce = (name: string) => Number(overrides[name] ?? this.#broker.number(`group.${name}`))
      if (inForce(session) > inForce(heartbeat)) continue
      return new Refusal('INVALID_CONFIG', `${session} must be greater than ${heartbeat}`)
    }
    return undefined
  }
}
