// Random messages made from the tables themselves: whatever a version can hold, and nothing that it cannot.

import fc from 'fast-check'
import { taggedFields } from '../protocol/interpret.ts'
import { type Field, type Fields, has, isNullable, isTagged, type Table } from '../protocol/schema.ts'

type AnyField = Field<unknown, boolean>
export type Values = { [name: string]: unknown }

/** What to put where: every kind has an answer of its own, so that a caller can make values mean or plain. */
export type Leaves = {
  readonly [K in Exclude<AnyField['kind'], 'array' | 'struct'>]: fc.Arbitrary<unknown>
} & { readonly elementsMax: number }

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))

/** Anything that the wire can carry. int64 stays where a number is exact. */
export const anyLeaves: Leaves = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32_768, max: 32_767 }),
  uint16: fc.integer({ min: 0, max: 65_535 }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int64: fc.maxSafeInteger(),
  float64: fc.double(),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('base64url')),
  // Every code point but lone surrogates, which UTF-8 cannot carry.
  string: fc.string({ unit: 'binary', maxLength: 12 }),
  bytes,
  records: fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })),
  elementsMax: 3,
}

const unknownTags = fc.option(
  fc.uniqueArray(fc.record({ tag: fc.integer({ min: 1000, max: 0xffff }), bytes }), {
    selector: ({ tag }) => tag,
    minLength: 1,
    maxLength: 2,
  }),
  { nil: undefined, freq: 6 },
)

function fieldOf(field: AnyField, version: number, flexible: boolean, leaves: Leaves): fc.Arbitrary<unknown> {
  const value = plainField(field, version, flexible, leaves)
  return isNullable(field, version) ? fc.option(value, { freq: 4 }) : value
}

function plainField(field: AnyField, version: number, flexible: boolean, leaves: Leaves): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'array':
      return fc.array(fieldOf(field.element!, version, flexible, leaves), { maxLength: leaves.elementsMax })
    case 'struct':
      return structOf(field.fields!, version, flexible, leaves)
    default:
      return leaves[field.kind]
  }
}

function structOf(fields: Fields, version: number, flexible: boolean, leaves: Leaves): fc.Arbitrary<Values> {
  const members: { [name: string]: fc.Arbitrary<unknown> } = {}
  for (const [name, field] of Object.entries(fields)) {
    if (has(field.versions, version) && !isTagged(field, version)) {
      members[name] = fieldOf(field, version, flexible, leaves)
    }
  }
  if (flexible) {
    for (const [name, field] of taggedFields(fields, version)) {
      members[name] = fc.option(fieldOf(field, version, flexible, leaves), { nil: undefined })
    }
    members['unknownTags'] = unknownTags
  }
  return fc.record(members).map(withoutUndefined)
}

const withoutUndefined = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

/** Messages of one version of a table. */
export const messagesOf = (table: Table, version: number, leaves: Leaves = anyLeaves): fc.Arbitrary<Values> =>
  structOf(table.fields, version, has(table.flexible, version), leaves)
