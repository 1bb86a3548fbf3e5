// How a row of the broker's configuration table is written down: one short call per name.

import type { ConfigRow, ConfigType } from './config-table.ts'

export type BrokerRow = ConfigRow & {
  /** May be changed while the broker runs: for all brokers at once, or for each one only. Otherwise read-only. */
  readonly dynamic?: 'cluster' | 'broker'
  /** Kafka's default where ours differs; null: Kafka has none. */
  readonly kafkaDefault?: string | null
  /** Not a name of Kafka's. */
  readonly ours?: true
  /** Read by a plug-in of Kafka's, which therefore tells it as it tells what it does not know: without its value. */
  readonly ofPlugin?: true
}

type Default = string | number | boolean | null
type Options = Pick<
  BrokerRow,
  | 'dynamic'
  | 'min'
  | 'max'
  | 'orEqual'
  | 'oneOf'
  | 'ignoreCase'
  | 'nonEmpty'
  | 'emptyElements'
  | 'check'
  | 'internal'
  | 'ours'
  | 'ofPlugin'
> & {
  /** Kafka's default where ours differs. */
  readonly kafka?: Default
  readonly effect?: false
}

const text = (value: Default): string | null => (value === null ? null : String(value))

const rowOf =
  (type: ConfigType) =>
  (name: string, value: Default, doc: string | Options = '', options: Options = {}): BrokerRow => {
    const { kafka, effect, ...rest } = typeof doc === 'string' ? options : doc
    const sentence = typeof doc === 'string' ? doc : ''
    return {
      name,
      type,
      default: text(value),
      effect: effect ?? true,
      doc: sentence,
      ...rest,
      ...(kafka === undefined ? {} : { kafkaDefault: text(kafka) }),
    }
  }

export const boolean = rowOf('boolean')
export const string = rowOf('string')
export const int = rowOf('int')
export const short = rowOf('short')
export const long = rowOf('long')
export const double = rowOf('double')
export const list = rowOf('list')
export const javaClass = rowOf('class')
export const password = rowOf('password')

export const intMax = 0x7fff_ffff
/** As text: a JavaScript number cannot hold it. */
export const longMax = '9223372036854775807'
export const doubleMax = '1.7976931348623157E308'

/** Rows that are listed, checked and remembered, and change nothing. */
export const ignored = (why: string, rows: readonly BrokerRow[]): BrokerRow[] =>
  rows.map((row) => ({ ...row, effect: false, doc: `Accepted without effect: ${why}.` }))
