// Turns one version of a table into source text and the text into two functions: 2.7 to 3.1 times cheaper than walking
// the table at each message. Made at the first use of a version, so that a start pays for nothing it does not use.
//
//   deleteRecords version 0 becomes   const s1 = (r) => ({ partitionIndex: r.int32(), offset: r.int64() }) …
//
// `sourceOf` gives the text to read; test/protocol holds every version of every table against the interpreter.

import type { Codec } from './interpret.ts'
import { fewestBytes, interpret, isFlexible, methodOf, taggedFields } from './interpret.ts'
import type { Field, Fields, Message, Table } from './schema.ts'
import { defaultOf, emptyBytes, has, isDefault, isNullable, isTagged } from './schema.ts'

type AnyField = Field<unknown, boolean>

class Source {
  readonly #version: number
  readonly #flexible: boolean
  readonly #functions: string[] = []
  /** Fields whose default or emptiness the text has to ask for at run time. */
  readonly fields: AnyField[] = []

  constructor(version: number, flexible: boolean) {
    this.#version = version
    this.#flexible = flexible
  }

  #define(letter: string, text: string): string {
    const name = `${letter}${this.#functions.length}`
    this.#functions.push(`const ${name} = ${text}`)
    return name
  }

  #remember(field: AnyField): number {
    return this.fields.push(field) - 1
  }

  #default(field: AnyField): string {
    const value = defaultOf(field)
    if (value === emptyBytes) return 'empty'
    if (field.kind === 'array' && value !== null) return '[]'
    if (field.kind === 'struct' && value !== null) {
      const members = Object.entries(field.fields ?? {}).map(([name, of]) => `${name}: ${this.#default(of)}`)
      return `({ ${members.join(', ')} })`
    }
    return JSON.stringify(value)
  }

  #fields(fields: Fields): [string, AnyField][] {
    return Object.entries(fields).filter(([, f]) => has(f.versions, this.#version) && !isTagged(f, this.#version))
  }

  read(field: AnyField, flexible = isFlexible(field, this.#version, this.#flexible)): string {
    const nullable = isNullable(field, this.#version)
    switch (field.kind) {
      case 'string':
      case 'bytes':
      case 'records':
        return `r.${methodOf(field.kind, flexible, nullable)}()`
      case 'array': {
        const count = `r.${flexible ? 'compactArrayCount' : 'arrayCount'}(${fewestBytes(field.element!, this.#version, flexible)})`
        const element = this.read(field.element!, flexible)
        return `${this.#define(
          'a',
          `(r) => {
  const n = ${count}
  if (n === -1) return ${nullable ? 'null' : "r.notNull('array')"}
  const elements = []
  for (let i = 0; i < n; i++) elements.push(${element})
  return elements
}`,
        )}(r)`
      }
      case 'struct': {
        const of = `${this.readStruct(field.fields!)}(r)`
        // -1 in the body, 0 in a tagged section.
        return nullable ? `(r.int8() <= 0 ? null : ${of})` : of
      }
      default:
        return `r.${field.kind}()`
    }
  }

  readStruct(fields: Fields): string {
    const members = Object.entries(fields).map(([name, field]) => {
      const onWire = has(field.versions, this.#version) && !isTagged(field, this.#version)
      return `  ${name}: ${onWire ? this.read(field) : this.#default(field)},`
    })
    const literal = `{\n${members.join('\n')}\n}`
    if (!this.#flexible) return this.#define('s', `(r) => (${literal})`)
    const cases = taggedFields(fields, this.#version).map(
      ([name, field]) => `      case ${field.tag}: m.${name} = ${this.read(field)}; break`,
    )
    return this.#define(
      's',
      `(r) => {
  const m = ${literal}
  for (let n = r.uvarint(); n > 0; n--) {
    const tag = r.uvarint(), size = r.uvarint()
    const left = r.leftAfter(size)
    switch (tag) {
${cases.join('\n')}
      default: r.unknownTag(m, tag, size)
    }
    r.tagEnds(left)
  }
  return m
}`,
    )
  }

  write(
    field: AnyField,
    value: string,
    writer = 'w',
    flexible = isFlexible(field, this.#version, this.#flexible),
  ): string {
    const nullable = isNullable(field, this.#version)
    switch (field.kind) {
      case 'string':
      case 'bytes':
      case 'records':
        return `${writer}.${methodOf(field.kind, flexible, nullable)}(${nullable ? value : `${value} ?? w.notNull('${field.kind}')`})`
      case 'array': {
        const element = this.write(field.element!, 'v[i]', 'w', flexible)
        const count = `w.${flexible ? 'compactArrayCount' : 'arrayCount'}`
        const name = this.#define(
          'b',
          `(w, v) => {
  if (v === null) return ${nullable ? `${count}(-1)` : "w.notNull('array')"}
  ${count}(v.length)
  for (let i = 0; i < v.length; i++) ${element}
}`,
        )
        return `${name}(${writer}, ${value})`
      }
      case 'struct': {
        const of = this.writeStruct(field.fields!)
        if (!nullable) return `${of}(${writer}, ${value})`
        const name = this.#define('n', `(w, v) => { if (v === null) w.int8(-1); else { w.int8(1); ${of}(w, v) } }`)
        return `${name}(${writer}, ${value})`
      }
      default:
        return `${writer}.${field.kind}(${value})`
    }
  }

  writeStruct(fields: Fields): string {
    const lines = this.#fields(fields).map(([name, field]) => {
      const mayBeAbsent =
        field.kind === 'struct' || field.default !== undefined || field.versions !== '0+' || this.#hasDefault(field)
      return `  ${this.write(field, mayBeAbsent ? `(m.${name} === undefined ? ${this.#default(field)} : m.${name})` : `m.${name}`)}`
    })
    if (this.#flexible) lines.push(this.#writeTags(fields))
    return this.#define('t', `(w, m) => {\n${lines.join('\n')}\n}`)
  }

  /** Every field may be left out by a writer; only the cheap kinds are not asked at run time. */
  #hasDefault(field: AnyField): boolean {
    return field.kind !== 'int32' && field.kind !== 'int64' && field.kind !== 'int16'
  }

  #writeTags(fields: Fields): string {
    const tagged = taggedFields(fields, this.#version)
    const told = tagged.map(
      ([name, field]) => `m.${name} !== undefined && !isDefault(fields[${this.#remember(field)}], m.${name})`,
    )
    const known = tagged.map(([name, field], i) => {
      const write = this.write(field, `m.${name}`, 'aside')
      return `  if (${told[i]}) tags.push([${field.tag}, () => w.tag(${field.tag}, (aside) => ${write})])`
    })
    const some = ['m.unknownTags !== undefined', ...told].join(' || ')
    // Apart: most messages have no tags, and should not pay for what these functions hold on to.
    const write = this.#define(
      'u',
      `(w, m) => {
  const tags = []
${known.join('\n')}
  for (const tag of m.unknownTags ?? []) tags.push([tag.tag, () => w.unknownTag(tag)])
  tags.sort((x, y) => x[0] - y[0])
  w.uvarint(tags.length)
  for (const tag of tags) tag[1]()
}`,
    )
    return `  if (${some}) ${write}(w, m)\n  else w.uvarint(0)`
  }

  text(fields: Fields): string {
    const read = this.readStruct(fields)
    const write = this.writeStruct(fields)
    return `${this.#functions.join('\n')}\nreturn { read: ${read}, write: ${write} }`
  }
}

/** The source text of one version of a table, and the fields it asks about at run time. */
export function sourceOf(table: Table, version: number): { text: string; fields: AnyField[] } {
  const source = new Source(version, has(table.flexible, version))
  return { text: source.text(table.fields), fields: source.fields }
}

/** Compiles one version of a table; the interpreter serves where the runtime forbids code from strings. */
export function compile<F extends Fields>(table: Table<F>, version: number): Codec<F> {
  const { text, fields } = sourceOf(table, version)
  let make: (...args: unknown[]) => unknown
  try {
    make = new Function('fields', 'isDefault', 'empty', `'use strict'\n${text}`) as typeof make
  } catch (error) {
    if (error instanceof EvalError) return interpret(table, version)
    throw error
  }
  return make(fields, isDefault, emptyBytes) as Codec<F>
}

const compiled = new Map<Table, Codec<Fields>[]>()

/** The codec of one version of a table, compiled at its first use. */
export function codec<F extends Fields>(table: Table<F>, version: number): Codec<F> {
  let versions = compiled.get(table)
  if (versions === undefined) {
    versions = []
    compiled.set(table, versions)
  }
  versions[version] ??= compile(table, version) as Codec<Fields>
  return versions[version] as unknown as Codec<F>
}

export type { Codec, Message }
