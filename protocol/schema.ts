// The words in which message tables are written: a field is a kind, the versions that have it, and its default.
// Types are inferred from the table, so a handler and its bytes cannot drift apart.
// Source of every table: Apache Kafka's message definitions (4.4.0); how each kind is encoded stands in reader.ts.

import type { Records } from './reader.ts'

/** `'3+'`, `'0-2'`, `'5'`: the versions in which something is on the wire. */
export type Versions = string

export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'
  | 'array'
  | 'struct'

/** What a field may say beside its kind and versions. */
export type Options<T = unknown> = {
  /** Versions in which null may be written; elsewhere null is a violation. */
  readonly nullable?: Versions
  /** What a reader fills in where the field is absent. */
  readonly default?: T | null
  /** Tag number: in the versions `tagged` the field leaves the body for the tagged section. */
  readonly tag?: number
  readonly tagged?: Versions
  /** Overrides the message's flexible versions for this field (client id in the request header). */
  readonly flexible?: Versions
}

export type Fields = { readonly [name: string]: Field<unknown, boolean> }

/** One column of a table. `Optional` says whether a writer may leave it out. */
export type Field<T, Optional extends boolean> = Options & {
  readonly kind: Kind
  readonly versions: Versions
  /** Fields of a struct, or of the elements of an array of structs. */
  readonly fields?: Fields
  /** The element of an array. */
  readonly element?: Field<unknown, boolean>
  /** Carries the types only; never present at run time. */
  readonly type?: T
  readonly optional?: Optional
}

/** A struct whose tagged section held tags we do not know keeps them, so that it can be written again as it was. */
export type UnknownTag = { tag: number; bytes: Buffer }
type Kept = { unknownTags?: UnknownTag[] }

/** What a reader gives: every field, absent ones at their default. */
export type Message<F extends Fields> = {
  -readonly [K in keyof F]: F[K] extends Field<infer T, boolean> ? T : never
} & Kept

type OptionalNames<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown, true> ? K : never }[keyof F]
type DraftOf<T> = T extends Buffer | Records
  ? T
  : T extends readonly (infer E)[]
    ? readonly DraftOf<E>[]
    : T extends { readonly __fields?: infer F extends Fields }
      ? Draft<F>
      : T
/** What a writer takes: a field with a default or with versions of its own may be left out. */
export type Draft<F extends Fields> = {
  [K in Exclude<keyof F, OptionalNames<F>>]: F[K] extends Field<infer T, boolean> ? DraftOf<T> : never
} & { [K in OptionalNames<F>]?: F[K] extends Field<infer T, boolean> ? DraftOf<T> : never } & Kept

type Struct<F extends Fields> = Message<F> & { readonly __fields?: F }
type Nullable<T, O> = O extends { readonly nullable: Versions } ? T | null : T

function scalar<T>(kind: Kind) {
  function field(): Field<T, false>
  function field<const O extends Options<T>>(versions: Versions, options?: O): Field<Nullable<T, O>, true>
  function field(versions: Versions = '0+', options: Options<T> = {}): Field<never, never> {
    return { kind, versions, ...options } as Field<never, never>
  }
  return field
}

export const bool = scalar<boolean>('bool')
export const int8 = scalar<number>('int8')
export const int16 = scalar<number>('int16')
export const uint16 = scalar<number>('uint16')
export const int32 = scalar<number>('int32')
export const uint32 = scalar<number>('uint32')
/** A number: exact to 2^53, nearest beyond (offsets, timestamps, the odd Long.MAX_VALUE). */
export const int64 = scalar<number>('int64')
export const float64 = scalar<number>('float64')
/** URL-safe base64 of 16 bytes, 22 characters, as Kafka's own tools print topic ids. */
export const uuid = scalar<string>('uuid')
export const string = scalar<string>('string')
/** A view of the frame, not a copy. */
export const bytes = scalar<Buffer>('bytes')
/** Record batches: views, never copied, and never looked into here. */
export const records = scalar<Records>('records')

type ElementType<E> = E extends Field<infer T, boolean> ? T : E extends Fields ? Struct<E> : never
const isField = (x: unknown): x is Field<unknown, boolean> => typeof (x as Field<unknown, boolean>).kind === 'string'

export function array<const E extends Fields | Field<unknown, boolean>>(element: E): Field<ElementType<E>[], false>
export function array<const E extends Fields | Field<unknown, boolean>, const O extends Options>(
  element: E,
  versions: Versions,
  options?: O,
): Field<Nullable<ElementType<E>[], O>, true>
export function array(
  element: Fields | Field<unknown, boolean>,
  versions: Versions = '0+',
  options: Options = {},
): Field<never, never> {
  const of: Field<unknown, boolean> = isField(element) ? element : { kind: 'struct', versions: '0+', fields: element }
  return { kind: 'array', versions, element: of, ...options } as Field<never, never>
}

export function struct<const F extends Fields>(fields: F): Field<Struct<F>, false>
export function struct<const F extends Fields, const O extends Options>(
  fields: F,
  versions: Versions,
  options?: O,
): Field<Nullable<Struct<F>, O>, true>
export function struct(fields: Fields, versions: Versions = '0+', options: Options = {}): Field<never, never> {
  return { kind: 'struct', versions, fields, ...options } as Field<never, never>
}

/** One table: the fields of a request, a response, a header or a piece of data. */
export type Table<F extends Fields = Fields> = {
  readonly name: string
  /** Versions that exist. */
  readonly versions: Versions
  /** Versions in which lengths are varints and every struct ends in a tagged section. */
  readonly flexible: Versions
  readonly fields: F
}

export const table = <const F extends Fields>(
  name: string,
  versions: Versions,
  flexible: Versions,
  fields: F,
): Table<F> => ({
  name,
  versions,
  flexible,
  fields,
})

/** One API: request and response side by side. */
export type ApiTable<Q extends Fields = Fields, A extends Fields = Fields> = {
  readonly key: number
  readonly name: string
  readonly request: Table<Q>
  readonly response: Table<A>
}

export function api<const Q extends Fields, const A extends Fields>(
  key: number,
  name: string,
  versions: Versions,
  flexible: Versions,
  request: Q,
  response: A,
): ApiTable<Q, A> {
  return {
    key,
    name,
    request: table(`${name}Request`, versions, flexible, request),
    response: table(`${name}Response`, versions, flexible, response),
  }
}

export type Request<A> = A extends ApiTable<infer Q, Fields> ? Message<Q> : never
export type Response<A> = A extends ApiTable<Fields, infer F> ? Draft<F> : never
/** A response as a client reads it. */
export type Answer<A> = A extends ApiTable<Fields, infer F> ? Message<F> : never
/** The elements of an array field, for signatures of functions that shape one of them. */
export type Element<M, K extends keyof M> = NonNullable<M[K]> extends readonly (infer E)[] ? E : never

const ranges = new Map<Versions, readonly [number, number]>()
/** `'3+'` → [3, 32767]; `'none'` → [1, 0]. */
export function range(versions: Versions): readonly [number, number] {
  let known = ranges.get(versions)
  if (known === undefined) {
    const found = /^(\d+)(\+|-(\d+))?$/.exec(versions)
    if (found === null && versions !== 'none') throw new Error(`not a version range: ${versions}`)
    const from = Number(found?.[1] ?? 1)
    const to = found === null ? 0 : found[2] === undefined ? from : found[3] === undefined ? 32767 : Number(found[3])
    known = [from, to]
    ranges.set(versions, known)
  }
  return known
}

export function has(versions: Versions, version: number): boolean {
  const [from, to] = range(versions)
  return version >= from && version <= to
}

export const isTagged = (field: Field<unknown, boolean>, version: number): boolean =>
  field.tagged !== undefined && has(field.tagged, version)
export const isNullable = (field: Field<unknown, boolean>, version: number): boolean =>
  field.nullable !== undefined && has(field.nullable, version)

/** The id that stands for «no topic». */
export const zeroUuid = 'A'.repeat(22)
export const emptyBytes: Buffer = Buffer.alloc(0)

/** What stands for a field that is not on the wire. A fresh value each time: arrays and structs may be changed. */
export function defaultOf(field: Field<unknown, boolean>): unknown {
  if (field.default !== undefined) return field.default
  switch (field.kind) {
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return zeroUuid
    case 'bytes':
    case 'records':
      return emptyBytes
    case 'array':
      return []
    case 'struct':
      return Object.fromEntries(Object.entries(field.fields ?? {}).map(([name, of]) => [name, defaultOf(of)]))
    default:
      return 0
  }
}

/** Whether a tagged field may be left out, its value being the default. */
export function isDefault(field: Field<unknown, boolean>, value: unknown): boolean {
  if (value === undefined) return true
  if (value === null) return field.default === null
  switch (field.kind) {
    case 'array':
      return field.default !== null && (value as unknown[]).length === 0
    case 'bytes':
    case 'records':
      return field.default !== null && (value as Buffer).length === 0
    case 'struct': {
      if (field.default === null) return false
      const of = value as { readonly [name: string]: unknown; unknownTags?: UnknownTag[] }
      if (of.unknownTags !== undefined && of.unknownTags.length > 0) return false
      return Object.entries(field.fields ?? {}).every(([name, inner]) => isDefault(inner, of[name]))
    }
    case 'int64': // a bigint only where a test reads exactly; 2^63 as a number stands for Long.MAX_VALUE
      if (typeof value === 'bigint') return value === 0x7fff_ffff_ffff_ffffn && field.default === 2 ** 63
      return value === defaultOf(field)
    default:
      return value === defaultOf(field)
  }
}
