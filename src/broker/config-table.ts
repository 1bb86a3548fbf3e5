// What a configuration is: a row of a table (type, default, range, sentence), and how text becomes a value or a refusal.
// Messages follow the real broker (Kafka 4.4.0), since people search the web for them.

import { Refusal } from '../../protocol/errors.ts'
import { formatDouble, parseDouble, parseInteger } from './config-number.ts'

/** `number` where exact, `bigint` for longs beyond 2^53 (Long.MAX_VALUE is a common default). */
export type ConfigValue = boolean | number | bigint | string | readonly string[] | null

/** Codes of DescribeConfigs. */
export const configTypes = {
  unknown: 0,
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const
export type ConfigType = Exclude<keyof typeof configTypes, 'unknown'>

/** Codes of DescribeConfigs: which layer a value comes from. */
export const configSources = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  logger: 6,
  clientMetrics: 7,
  group: 8,
} as const
export type ConfigSource = (typeof configSources)[keyof typeof configSources]

export type ConfigRow = {
  readonly name: string
  readonly type: ConfigType
  /** As text, in the form in which DescribeConfigs prints it; null: not set. */
  readonly default: string | null
  /** Whether setting it changes anything here. The sentence says so where it does not. */
  readonly effect: boolean
  readonly doc: string
  readonly min?: number
  readonly max?: number
  /** A number that is allowed outside the range. */
  readonly orEqual?: number
  /** The only values of a string, or of the elements of a list. */
  readonly oneOf?: readonly string[]
  readonly ignoreCase?: true
  /** An empty list is refused. */
  readonly nonEmpty?: true
  /** A list may have empty elements. */
  readonly emptyElements?: true
  /** Anything the fields above cannot say: a complete message, or undefined if all is well. */
  readonly check?: (value: ConfigValue) => string | undefined
  /** Works, but is not listed unless someone has set it. */
  readonly internal?: true
}

/** A table that stays open: what branches and revisions need is added as rows of its own. */
export class ConfigTable<Row extends ConfigRow = ConfigRow> implements Iterable<Row> {
  readonly #rows = new Map<string, Row>()

  constructor(rows: Iterable<Row>) {
    this.add(...rows)
  }

  add(...rows: readonly Row[]): void {
    for (const row of rows) {
      if (this.#rows.has(row.name)) throw new Error(`two rows are named ${row.name}`)
      this.#rows.set(row.name, row)
    }
  }

  row(name: string): Row | undefined {
    return this.#rows.get(name)
  }

  [Symbol.iterator](): Iterator<Row> {
    return this.#rows.values()
  }
}

const int64Max = 0x7fff_ffff_ffff_ffffn
const integerRanges = {
  short: [-0x8000n, 0x7fffn],
  int: [-0x8000_0000n, 0x7fff_ffffn],
  long: [-int64Max - 1n, int64Max],
} as const

const invalid = (row: ConfigRow, value: string, why: string): Refusal =>
  new Refusal('INVALID_CONFIG', `Invalid value ${value} for configuration ${row.name}: ${why}`)

/** Text to value, type and range checked. */
export function parseConfig(row: ConfigRow, text: string): ConfigValue | Refusal {
  const value = parseType(row, text.trim())
  if (value === undefined) return invalid(row, text, notOfType(row.type))
  // What a list names twice counts once (KIP-1161).
  return refuse(row, value) ?? (Array.isArray(value) && row.emptyElements !== true ? [...new Set(value)] : value)
}

function parseType(row: ConfigRow, text: string): ConfigValue | undefined {
  switch (row.type) {
    case 'boolean':
      return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined
    case 'short':
    case 'int':
    case 'long': {
      const [min, max] = integerRanges[row.type]
      return parseInteger(text, min, max)
    }
    case 'double':
      return parseDouble(text)
    case 'list':
      return text === '' ? [] : text.split(/\s*,\s*/)
    default:
      return text
  }
}

function notOfType(type: ConfigType): string {
  return type === 'boolean' ? 'Expected value to be either true or false' : `Not a number of type ${type.toUpperCase()}`
}

function refuse(row: ConfigRow, value: ConfigValue): Refusal | undefined {
  const own = row.check?.(value)
  if (own !== undefined) return new Refusal('INVALID_CONFIG', own)
  if (typeof value === 'number' || typeof value === 'bigint') return refuseNumber(row, value)
  if (typeof value === 'string') return refuseWord(row, value)
  if (Array.isArray(value)) return refuseList(row, value)
  return undefined
}

function refuseNumber(row: ConfigRow, value: number | bigint): Refusal | undefined {
  const { min, max, orEqual } = row
  if (value === orEqual) return undefined
  const below = min !== undefined && value < min
  const above = max !== undefined && value > max
  if (!below && !above) return undefined
  const range = below ? `Value must be at least ${min}` : `Value must be no more than ${max}`
  const why = orEqual === undefined ? range : `Value must be between ${min} and ${max} or equal to ${orEqual}`
  return invalid(row, formatConfig(row.type, value) ?? '', why)
}

function refuseWord(row: ConfigRow, word: string): Refusal | undefined {
  const { oneOf, ignoreCase } = row
  if (oneOf === undefined || oneOf.includes(word)) return undefined
  if (ignoreCase && oneOf.some((known) => known.toLowerCase() === word.toLowerCase())) return undefined
  const why = `String must be one of${ignoreCase ? ' (case insensitive)' : ''}: ${oneOf.join(', ')}`
  return invalid(row, word, why)
}

function refuseList(row: ConfigRow, list: readonly string[]): Refusal | undefined {
  const { name, nonEmpty } = row
  if (list.includes('') && row.emptyElements !== true)
    return new Refusal('INVALID_CONFIG', `Configuration '${name}' values must not be empty.`)
  if (nonEmpty && list.length === 0) {
    const message = `Configuration '${name}' must not be empty. Valid values include: any non-empty value`
    return new Refusal('INVALID_CONFIG', message)
  }
  return list.map((word) => refuseWord(row, word)).find((refusal) => refusal !== undefined)
}

/** A value as DescribeConfigs prints it. */
export function formatConfig(type: ConfigType, value: ConfigValue): string | null {
  if (value === null) return null
  if (Array.isArray(value)) return value.join(',')
  return type === 'double' ? formatDouble(value as number) : String(value)
}

/** Text in its printed form: ` 5 ` is 5, `TRUE` is true. Text that does not parse stays as it is. */
export function normalise(row: ConfigRow, text: string): string | null {
  const value = parseConfig(row, text)
  return value instanceof Refusal ? text : formatConfig(row.type, value)
}
