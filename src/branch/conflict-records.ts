// Open conflicts as `__branch_conflicts` tells them: compacted, one record for each key that a merge has parked.
//
//   key     merge|topic|partition|key in base64
//   value   {v, kind, paths?, from, fromId, into, intoId, partition, key | keyBase64, base, ours, theirs}; null: closed
//
// `base`, `ours` and `theirs` are {offset, timestamp, value | valueBase64}; a value above 64 KiB is left out, a deleted one is null.

import type { Conflict } from './decisions.ts'
import type { Version } from './pair.ts'
import type { ConflictKind } from './verdict.ts'

const valueBytesMax = 64 * 1024

export type ConflictPlace = {
  readonly merge: string
  readonly topic: string
  readonly partition: number
  readonly key: Buffer
}

export type ConflictSides = {
  readonly from: string
  readonly fromId: string
  readonly into: string
  readonly intoId: string
}

/** `value` undefined: it was left out. */
export type ToldVersion = { readonly offset: number; readonly timestamp: number; readonly value?: Buffer | null }

export type OpenConflict = ConflictPlace &
  ConflictSides & {
    readonly kind: ConflictKind
    readonly paths?: readonly string[]
    readonly base?: ToldVersion
    readonly ours?: ToldVersion
    readonly theirs?: ToldVersion
  }

export const conflictKey = ({ merge, topic, partition, key }: ConflictPlace): Buffer =>
  Buffer.from(`${merge}|${topic}|${partition}|${key.toString('base64')}`)

/** Bytes as a text where they are one, else packed. */
export function told<N extends string>(name: N, bytes: Buffer | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null }
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? { [name]: text } : { [`${name}Base64`]: bytes.toString('base64') }
}

/** Without values where not everybody who reads them may read the topics. */
export function conflictValue(
  { key, kind, paths, base, ours, theirs }: Conflict,
  at: ConflictSides,
  partition: number,
  hasValues: boolean,
) {
  const version = ({ offset, timestamp, value }: Version) => ({
    offset,
    timestamp,
    ...(!hasValues || (value !== null && value.length > valueBytesMax) ? {} : told('value', value)),
  })
  return Buffer.from(
    JSON.stringify({
      v: 1,
      kind,
      ...(paths === undefined ? {} : { paths }),
      ...at,
      partition,
      ...told('key', key),
      ...(base === undefined ? {} : { base: version(base) }),
      ...(ours === undefined ? {} : { ours: version(ours) }),
      ...(theirs === undefined ? {} : { theirs: version(theirs) }),
    }),
  )
}

type Told = { readonly value?: string | null; readonly valueBase64?: string }

function readVersion(told: (Told & { offset: number; timestamp: number }) | undefined): ToldVersion | undefined {
  if (told === undefined) return undefined
  const { offset, timestamp, value, valueBase64 } = told
  if (valueBase64 !== undefined) return { offset, timestamp, value: Buffer.from(valueBase64, 'base64') }
  return { offset, timestamp, ...(value === undefined ? {} : { value: value === null ? null : Buffer.from(value) }) }
}

/** Undefined where the record is none of ours. */
export function readConflict(key: Buffer, value: Buffer): OpenConflict | undefined {
  const [packed, partition, topic, ...merge] = key.toString().split('|').reverse()
  if (packed === undefined || partition === undefined || topic === undefined || merge.length === 0) return undefined
  try {
    const { v: _, key: _key, keyBase64: _packed, base, ours, theirs, ...rest } = JSON.parse(value.toString())
    const versions = { base: readVersion(base), ours: readVersion(ours), theirs: readVersion(theirs) }
    const known = Object.fromEntries(Object.entries(versions).filter(([, one]) => one !== undefined))
    return {
      ...rest,
      ...known,
      merge: merge.reverse().join('|'),
      topic,
      partition: Number(partition),
      key: Buffer.from(packed, 'base64'),
    } as OpenConflict
  } catch {
    return undefined
  }
}
