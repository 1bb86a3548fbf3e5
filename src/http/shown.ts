// Bytes as JSON shows them: what is JSON as it was written, what is text as text, everything else in base64.

import { isUtf8 } from 'node:buffer'
import { type Verbatim, verbatim } from '../branch/verbatim-json.ts'
import type { Parameter, Schema } from './route.ts'

export const formats = ['json', 'text', 'base64'] as const
export type Format = (typeof formats)[number]

export const formatParameter: Parameter = {
  name: 'format',
  in: 'query',
  description:
    'How values are shown: json (JSON where they are JSON, else text), text (never taken for JSON), base64 (all of them, keys too). What is not UTF-8 is shown in base64 anyway.',
  schema: { type: 'string', enum: formats, default: 'json' },
}

export function shownValue(
  value: Buffer | null,
  format: Format = 'json',
): { value: unknown } | { valueBase64: string } {
  if (value === null) return { value: null }
  if (format === 'base64' || !isUtf8(value)) return { valueBase64: value.toString('base64') }
  const text = value.toString()
  return { value: format === 'text' ? text : ((verbatim(text) as Verbatim | undefined) ?? text) }
}

export function shownKey(key: Buffer | null, format: Format = 'json'): { key: string | null } | { keyBase64: string } {
  if (key === null) return { key: null }
  return format === 'base64' || !isUtf8(key) ? { keyBase64: key.toString('base64') } : { key: key.toString() }
}

export type ShownSource = {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

export const shownRecord = (partition: number, record: ShownSource, format: Format) => ({
  partition,
  offset: record.offset,
  timestamp: record.timestamp,
  ...shownKey(record.key, format),
  ...shownValue(record.value, format),
  ...(record.value === null ? { tombstone: true } : {}),
  headers: record.headers.map(({ key, value }) => ({ key, ...shownValue(value, format === 'json' ? 'text' : format) })),
})

const nullableText: Schema = { type: ['string', 'null'] }
const base64: Schema = { type: 'string', contentEncoding: 'base64' }
export const integer: Schema = { type: 'integer' }

export const valueMembers: Readonly<Record<string, Schema>> = {
  value: { description: 'JSON if the value is JSON, else text; null for a tombstone.' },
  valueBase64: { ...base64, description: 'In the place of value, where that is not UTF-8.' },
}

export const keyMembers: Readonly<Record<string, Schema>> = {
  key: nullableText,
  keyBase64: { ...base64, description: 'In the place of key, where that is not UTF-8.' },
}

export const object = (properties: Readonly<Record<string, Schema>>, required = Object.keys(properties)): Schema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

export const list = (items: Schema): Schema => ({ type: 'array', items })

export const recordSchema: Schema = object(
  {
    partition: integer,
    offset: integer,
    timestamp: { type: 'integer', description: 'ms since 1970; -1 where the record has none.' },
    ...keyMembers,
    ...valueMembers,
    tombstone: { type: 'boolean', description: 'There, and true, where the record has no value.' },
    headers: list(object({ key: { type: 'string' }, value: nullableText, valueBase64: base64 }, ['key'])),
  },
  ['partition', 'offset', 'timestamp', 'headers'],
)
