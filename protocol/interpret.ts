// Walks a table to read or write a message. Slow and plain: the oracle that the compiled code is held against, and
// the fallback where code may not be made from strings.

import type { Reader } from './reader.ts'
import type { Draft, Field, Fields, Message, Table, UnknownTag } from './schema.ts'
import { defaultOf, has, isDefault, isNullable, isTagged } from './schema.ts'
import type { Writer } from './writer.ts'

/** Reads and writes one version of one table. */
export type Codec<F extends Fields> = {
  read(reader: Reader): Message<F>
  write(writer: Writer, message: Draft<F>): void
}

type AnyField = Field<unknown, boolean>
type Values = { [name: string]: unknown; unknownTags?: UnknownTag[] }

/** Names of the reader's and writer's method for a string, bytes, records field. */
export function methodOf(kind: 'string' | 'bytes' | 'records', compact: boolean, nullable: boolean) {
  const noun = `${kind[0]!.toUpperCase()}${kind.slice(1)}` as 'String' | 'Bytes' | 'Records'
  if (compact) return nullable ? (`compactNullable${noun}` as const) : (`compact${noun}` as const)
  return nullable ? (`nullable${noun}` as const) : kind
}

const fixedBytes = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
} as const

/** The fewest bytes that a field takes on the wire: what an array count is held against. */
export function fewestBytes(field: AnyField, version: number, flexible: boolean): number {
  switch (field.kind) {
    case 'string':
      return flexible ? 1 : 2
    case 'bytes':
    case 'records':
    case 'array':
      return flexible ? 1 : 4
    case 'struct':
      if (isNullable(field, version)) return 1
      return Object.values(field.fields!).reduce(
        (sum, of) =>
          sum + (has(of.versions, version) && !isTagged(of, version) ? fewestBytes(of, version, flexible) : 0),
        flexible ? 1 : 0,
      )
    default:
      return fixedBytes[field.kind]
  }
}

export const isFlexible = (field: AnyField, version: number, flexible: boolean): boolean =>
  field.flexible === undefined ? flexible : has(field.flexible, version)

export const taggedFields = (fields: Fields, version: number): [string, AnyField][] =>
  Object.entries(fields)
    .filter(([, field]) => has(field.versions, version) && isTagged(field, version))
    .sort(([, a], [, b]) => a.tag! - b.tag!)

function readField(r: Reader, field: AnyField, version: number, flexible: boolean): unknown {
  switch (field.kind) {
    case 'string':
    case 'bytes':
    case 'records':
      return r[methodOf(field.kind, flexible, isNullable(field, version))]()
    case 'array': {
      const elementBytes = fewestBytes(field.element!, version, flexible)
      const count = flexible ? r.compactArrayCount(elementBytes) : r.arrayCount(elementBytes)
      if (count === -1) return isNullable(field, version) ? null : r.notNull('array')
      const elements: unknown[] = []
      for (let i = 0; i < count; i++) elements.push(readField(r, field.element!, version, flexible))
      return elements
    }
    case 'struct':
      if (isNullable(field, version) && r.int8() <= 0) return null // -1 in the body, 0 in a tagged section.
      return readStruct(r, field.fields!, version, flexible)
    default:
      return r[field.kind]()
  }
}

function readStruct(r: Reader, fields: Fields, version: number, flexible: boolean): Values {
  const values: Values = {}
  for (const [name, field] of Object.entries(fields)) {
    const onWire = has(field.versions, version) && !isTagged(field, version)
    values[name] = onWire ? readField(r, field, version, isFlexible(field, version, flexible)) : defaultOf(field)
  }
  if (!flexible) return values
  const tagged = taggedFields(fields, version)
  for (let count = r.uvarint(); count > 0; count--) {
    const tag = r.uvarint()
    const byteCount = r.uvarint()
    const known = tagged.find(([, field]) => field.tag === tag)
    if (known === undefined) {
      r.unknownTag(values, tag, byteCount)
      continue
    }
    const left = r.leftAfter(byteCount)
    values[known[0]] = readField(r, known[1], version, flexible)
    r.tagEnds(left)
  }
  return values
}

function writeField(w: Writer, field: AnyField, value: unknown, version: number, flexible: boolean): void {
  switch (field.kind) {
    case 'string':
    case 'bytes':
    case 'records': {
      const nullable = isNullable(field, version)
      if (value === null && !nullable) w.notNull(field.kind)
      w[methodOf(field.kind, flexible, nullable)](value as never)
      return
    }
    case 'array': {
      const elements = value as readonly unknown[] | null
      if (elements === null && !isNullable(field, version)) w.notNull('array')
      const count = elements === null ? -1 : elements.length
      if (flexible) w.compactArrayCount(count)
      else w.arrayCount(count)
      for (const element of elements ?? []) writeField(w, field.element!, element, version, flexible)
      return
    }
    case 'struct':
      if (isNullable(field, version)) {
        w.int8(value === null ? -1 : 1)
        if (value === null) return
      }
      writeStruct(w, field.fields!, value as Values, version, flexible)
      return
    default:
      w[field.kind](value as never)
  }
}

function writeStruct(w: Writer, fields: Fields, values: Values, version: number, flexible: boolean): void {
  for (const [name, field] of Object.entries(fields)) {
    if (!has(field.versions, version) || isTagged(field, version)) continue
    const value = values[name] === undefined ? defaultOf(field) : values[name]
    writeField(w, field, value, version, isFlexible(field, version, flexible))
  }
  if (!flexible) return
  const tags: [number, () => void][] = taggedFields(fields, version)
    .filter(([name, field]) => !isDefault(field, values[name]))
    .map(([name, field]) => [
      field.tag!,
      () => w.tag(field.tag!, (aside) => writeField(aside, field, values[name], version, flexible)),
    ])
  for (const unknown of values.unknownTags ?? []) tags.push([unknown.tag, () => w.unknownTag(unknown)])
  tags.sort(([a], [b]) => a - b)
  w.uvarint(tags.length)
  for (const [, write] of tags) write()
}

export function interpret<F extends Fields>(table: Table<F>, version: number): Codec<F> {
  const flexible = has(table.flexible, version)
  return {
    read: (reader) => readStruct(reader, table.fields, version, flexible) as Message<F>,
    write: (writer, message) => writeStruct(writer, table.fields, message as Values, version, flexible),
  }
}
