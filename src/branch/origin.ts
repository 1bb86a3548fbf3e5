// The headers that a merged record bears: by which merge, from which record, and where that one was first written.
//
//   branch.merge    the id of the merge
//   branch.src      topic:partition:offset           what it is a copy of; by name, for people
//   branch.origin   topic id:partition:offset        where it was first written; by id, for the next merge
//
// Clients can write headers too: these are believed only where the broker has recorded that it wrote them.

import type { RecordHeader } from '../../protocol/records/record.ts'
import type { Place } from './knowledge.ts'

export const mergeHeader = 'branch.merge'
export const sourceHeader = 'branch.src'
export const originHeader = 'branch.origin'
const own: ReadonlySet<string> = new Set([mergeHeader, sourceHeader, originHeader])

const originForm = /^([A-Za-z0-9_-]{1,64}):(\d{1,10}):(\d{1,16})$/

/** The origin that a record names; undefined where it names none. */
export function originOf(headers: readonly RecordHeader[]): Place | undefined {
  const value = headers.find(({ key }) => key === originHeader)?.value
  const found = value && originForm.exec(value.toString('latin1'))
  return found ? { branch: found[1]!, offset: Number(found[3]) } : undefined
}

/** The record of the source that a record is a copy of; undefined where it names none. */
export function sourceOffsetOf(headers: readonly RecordHeader[]): number | undefined {
  const value = headers.find(({ key }) => key === sourceHeader)?.value?.toString()
  const at = value?.lastIndexOf(':') ?? -1
  return value === undefined || at < 0 ? undefined : Number(value.slice(at + 1))
}

type NewHeader = { readonly key: string; readonly value: Uint8Array | string | null }

/** Headers for the records of one merge in one partition. */
export class MergeHeaders {
  readonly #merge: NewHeader
  readonly #source: string
  readonly #partition: number

  constructor(id: string, source: string, partition: number) {
    this.#merge = { key: mergeHeader, value: id }
    this.#source = `${source}:${partition}:`
    this.#partition = partition
  }

  /** The record's own headers, and exactly one each of ours. */
  of(headers: readonly RecordHeader[], sourceOffset: number, { branch, offset }: Place): NewHeader[] {
    const kept: NewHeader[] = headers.length === 0 ? [] : headers.filter(({ key }) => !own.has(key))
    kept.push(
      this.#merge,
      { key: sourceHeader, value: this.#source + sourceOffset },
      { key: originHeader, value: `${branch}:${this.#partition}:${offset}` },
    )
    return kept
  }
}
