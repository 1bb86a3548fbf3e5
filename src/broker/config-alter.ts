// The two ways to change overrides: one operation after the other (KIP-339), or all replaced at once (the older way).

import { Refusal } from '../../protocol/errors.ts'
import { type ConfigRow, type ConfigTable, parseConfig } from './config-table.ts'

export const configOperations = { set: 0, delete: 1, append: 2, subtract: 3 } as const
/** As IncrementalAlterConfigs carries it. */
export type ConfigOperation = { readonly name: string; readonly configOperation: number; readonly value: string | null }
/** As AlterConfigs carries it. */
export type ConfigAssignment = { readonly name: string; readonly value: string | null }
/** Overrides as they are kept and persisted. */
export type Overrides = Record<string, string>

type Current = {
  readonly table: ConfigTable
  readonly overrides: Readonly<Overrides>
  /** What counts where there is no override: lists are appended to it. */
  readonly inherited: (name: string) => string | null
}

/** The overrides after `operations`; whether their values are good is for the owner of the table to say. */
export function alterOverrides(current: Current, operations: readonly ConfigOperation[]): Overrides | Refusal {
  if (new Set(operations.map(({ name }) => name)).size < operations.length) {
    return new Refusal('INVALID_REQUEST', 'Error due to duplicate config keys')
  }
  const overrides = { ...current.overrides }
  for (const operation of operations) {
    const changed = apply(current, operation)
    if (changed instanceof Refusal) return changed
    if (changed === undefined) delete overrides[operation.name]
    else overrides[operation.name] = changed
  }
  return overrides
}

/** undefined: no override is left. */
function apply(current: Current, { name, configOperation, value }: ConfigOperation): string | undefined | Refusal {
  if (configOperation === configOperations.delete) return undefined
  if (value === null) return new Refusal('INVALID_REQUEST', `Null value not supported for : ${name}`)
  switch (configOperation) {
    case configOperations.set:
      return value
    case configOperations.append:
    case configOperations.subtract:
      return changeList(current, name, value, configOperation === configOperations.append)
    default:
      return new Refusal('INVALID_REQUEST', `Unknown config operation ${configOperation} for ${name}`)
  }
}

function changeList(current: Current, name: string, value: string, append: boolean): string | Refusal {
  const row = current.table.row(name)
  if (row?.type !== 'list') {
    const verb = append ? 'APPEND' : 'SUBTRACT'
    return new Refusal('INVALID_CONFIG', `Can't ${verb} to key ${name} because its type is not LIST.`)
  }
  const old = elements(row, current.overrides[name] ?? current.inherited(name) ?? '')
  const given = split(value)
  const next = append
    ? [...old, ...given.filter((element) => !old.includes(element))]
    : old.filter((element) => !given.includes(element))
  return next.join(',')
}

/** As a real broker: what is empty at the end does not count, but nothing at all is one element, which hardly a list takes. */
function split(text: string): string[] {
  const cut = text.replace(/,+$/, '')
  return cut === '' && text !== '' ? [] : cut.split(',')
}

function elements(row: ConfigRow, text: string): string[] {
  const list = parseConfig({ name: row.name, type: 'list', default: null, effect: true, doc: '' }, text)
  return Array.isArray(list) ? list : text.split(',')
}

/** The overrides that `assignments` make, all older ones gone. */
export function replaceOverrides(assignments: readonly ConfigAssignment[]): Overrides | Refusal {
  const overrides: Overrides = {}
  for (const { name, value } of assignments) {
    if (name in overrides) return new Refusal('INVALID_REQUEST', 'Error due to duplicate config keys')
    if (value === null) return new Refusal('INVALID_REQUEST', `Null value not supported for : ${name}`)
    overrides[name] = value
  }
  return overrides
}

/** A value of null says that there is none. */
export const withoutNulls = (configs: Readonly<Record<string, string | null>>): Record<string, string> =>
  Object.fromEntries(Object.entries(configs).filter((entry): entry is [string, string] => entry[1] !== null))
