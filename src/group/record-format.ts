// How records of a group are written into the offsets topic: the key says of which kind they are and to which group they
// belong, the value begins with its version. One table of kinds for each type of group.

import { codec } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Draft, Fields, Message, Table } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { readId, writtenId } from '../branch/set-names.ts'
import type { OffsetsRecord } from './offsets-log.ts'

type Kind = {
  readonly code: number
  readonly key: { readonly fields: Fields }
  readonly value: { readonly fields: Fields }
}
export type Kinds = Readonly<Record<string, Kind>>

export type KeyOf<K extends Kind> = Omit<Message<K['key']['fields']>, 'group' | 'unknownTags'>
export type ValueOf<K extends Kind> = Message<K['value']['fields']>

/** One record, without the group it belongs to; a null value removes what the key names. */
export type RecordOf<K extends Kinds> = {
  [Name in keyof K]: { readonly kind: Name; readonly key: KeyOf<K[Name]>; readonly value: ValueOf<K[Name]> | null }
}[keyof K]

type Tables = {
  readonly kind: string
  readonly code: number
  readonly key: Table<Fields>
  readonly value: Table<Fields>
}

export class RecordFormat<K extends Kinds> {
  readonly #byKind: ReadonlyMap<string, Tables>
  readonly #byCode: ReadonlyMap<number, Tables>

  constructor(kinds: K) {
    const tables = Object.entries(kinds).map(([kind, of]) => ({ ...of, kind }) as unknown as Tables)
    this.#byKind = new Map(tables.map((of) => [of.kind, of]))
    this.#byCode = new Map(tables.map((of) => [of.code, of]))
  }

  write(group: string, { kind, key, value }: RecordOf<K>): OffsetsRecord {
    const of = this.#byKind.get(kind as string)!
    return {
      key: encode(of.key, of.code, { group: writtenId(group), ...key } as Draft<Fields>),
      value: value === null ? null : encode(of.value, 0, value as unknown as Draft<Fields>),
    }
  }

  /** Reads a record whose key says `code`; undefined where it is none of these, or of a version that we do not know. */
  read(
    code: number,
    key: Reader,
    value: Buffer | null,
  ): { readonly group: string; readonly record: RecordOf<K> } | undefined {
    const of = this.#byCode.get(code)
    if (of === undefined) return undefined
    const { group, ...rest } = codec(of.key, 0).read(key) as { group: string }
    const reader = value === null ? undefined : new Reader(Buffer.from(value)) // What a visitor is shown is borrowed.
    if (reader !== undefined && reader.int16() !== 0) return undefined
    const read = reader === undefined ? null : codec(of.value, 0).read(reader)
    return { group: readId(group), record: { kind: of.kind, key: rest, value: read } as unknown as RecordOf<K> }
  }
}

function encode(of: Table<Fields>, code: number, message: Draft<Fields>): Buffer {
  const writer = new Writer()
  writer.int16(code)
  codec(of, 0).write(writer, message)
  return writer.bytesWritten()
}
