// Configurations of what the broker knows by name only, groups and subscriptions to client metrics: nothing has to be there
// for them to be set, and without overrides a name is forgotten.

import { Refusal } from '../../protocol/errors.ts'
import {
  alterOverrides,
  type ConfigAssignment,
  type ConfigOperation,
  type Overrides,
  replaceOverrides,
} from './config-alter.ts'
import { type ConfigEntry, type ConfigSynonym, configEntry, type DescribeRequest, wants } from './config-entry.ts'
import { type ConfigRow, type ConfigSource, ConfigTable } from './config-table.ts'
import type { MetadataLog, NamedKind } from './metadata-log.ts'

export abstract class NamedConfigs<Row extends ConfigRow> {
  protected readonly table: ConfigTable<Row>
  readonly #metadata: MetadataLog
  readonly #kind: NamedKind
  readonly #source: ConfigSource

  constructor(metadata: MetadataLog, kind: NamedKind, source: ConfigSource, table: ConfigTable<Row>) {
    this.#metadata = metadata
    this.#kind = kind
    this.#source = source
    this.table = table
  }

  /** Who has overrides. */
  names(): string[] {
    return [...this.#metadata.state.namedConfigs[this.#kind].keys()]
  }

  overrides(name: string): Readonly<Overrides> {
    return this.#metadata.state.namedConfigs[this.#kind].get(name) ?? {}
  }

  /** What stands against a set of overrides. */
  protected abstract refuse(overrides: Readonly<Overrides>): Refusal | undefined
  /** The layers below an override, the strongest first. */
  protected abstract inherited(row: Row): ConfigSynonym[]

  describe(name: string, request: DescribeRequest): ConfigEntry[] {
    const overrides = this.overrides(name)
    return [...this.table]
      .filter((row) => wants(request, row.name))
      .map((row) => {
        const own = overrides[row.name]
        const below = this.inherited(row)
        const synonyms = own === undefined ? below : [{ name: row.name, value: own, source: this.#source }, ...below]
        const value = synonyms[0]?.value ?? row.default
        return configEntry(row, { name: row.name, value, readOnly: false, synonyms }, request)
      })
  }

  /** The overrides after `operations`, checked. A real broker takes none of these for a list, so nothing can be appended. */
  alter(name: string, operations: readonly ConfigOperation[]): Overrides | Refusal {
    const current = { table: new ConfigTable([]), overrides: this.overrides(name), inherited: () => null }
    const next = alterOverrides(current, operations)
    return next instanceof Refusal ? next : (this.refuse(next) ?? next)
  }

  /** As alter, all older overrides gone. */
  replace(assignments: readonly ConfigAssignment[]): Overrides | Refusal {
    const next = replaceOverrides(assignments)
    return next instanceof Refusal ? next : (this.refuse(next) ?? next)
  }

  /** Nobody has any. Throws StorageError. */
  async reset(): Promise<void> {
    for (const name of this.names()) await this.configure(name, {})
  }

  /** Replaces all overrides; resolves when that is durable. Throws StorageError. */
  configure(name: string, configs: Readonly<Overrides>): Promise<void> {
    return this.#metadata.commit([{ v: 1, type: 'config', of: this.#kind, name, configs }])
  }
}
