// `branch diff`: what two relatives have written since their histories were one. Reads only what lies behind that point.

import type { Bounds, KafkaClient, TopicSeen } from '../client/kafka-client.ts'
import { type RecordRead, readPartition } from '../client/reading.ts'
import type { SeenBranch } from './branch-client.ts'
import { shown, table } from './table.ts'

export type Side = { readonly offset: number; readonly value: Buffer | null }

/** What stands on either side. `ours` is the branch that was named first. */
export type Difference = {
  readonly partition: number
  /** Null: records without a key, each by itself. */
  readonly key: Buffer | null
  readonly kind: 'only ours' | 'only theirs' | 'both'
  readonly ours?: Side
  readonly theirs?: Side
}

/** Up to where two topics have the same history, by partition; undefined where they are no relatives. */
export function sharedHistory(
  ours: TopicSeen,
  theirs: TopicSeen,
  branches: readonly SeenBranch[],
): Map<number, number> | undefined {
  const byId = new Map(branches.map((branch) => [branch.id, branch]))
  const wayUp = (id: string): { ids: string[]; forks: SeenBranch[] } => {
    const ids = [id]
    const forks: SeenBranch[] = []
    for (let branch = byId.get(id); branch !== undefined; branch = byId.get(branch.fromId)) {
      forks.push(branch)
      ids.push(branch.fromId)
    }
    return { ids, forks }
  }
  const [a, b] = [wayUp(ours.id), wayUp(theirs.id)]
  const common = a.ids.find((id) => b.ids.includes(id))
  if (common === undefined) return undefined
  // Every fork between either of them and what both come from: the earliest cut counts.
  const forks = [...a.forks.slice(0, a.ids.indexOf(common)), ...b.forks.slice(0, b.ids.indexOf(common))]
  // One that was added to either side since has nothing in common.
  const partitions = new Set([...ours.leaders.keys(), ...theirs.leaders.keys()])
  const points = [...partitions].map((partition) => {
    return [partition, Math.min(...forks.map(({ offsets }) => offsets.get(partition) ?? 0))] as const
  })
  return new Map(points)
}

/** Reads both sides and compares them key by key, and records without a key one by one. */
export async function* differences(
  client: KafkaClient,
  ours: TopicSeen,
  theirs: TopicSeen,
  since: ReadonlyMap<number, number>,
  key?: Buffer,
): AsyncGenerator<Difference> {
  const [ourBounds, theirBounds] = await Promise.all([client.bounds(ours), client.bounds(theirs)])
  for (const [partition, from] of since) {
    const tail = async (topic: TopicSeen, bounds: Bounds | undefined) => {
      const found: RecordRead[] = []
      if (bounds === undefined) return found
      const range = { from: Math.max(from, bounds.start), until: bounds.end }
      for await (const record of readPartition(client, topic, partition, range)) {
        if (key === undefined || record.key?.equals(key)) found.push(record)
      }
      return found
    }
    const [ourEnd, theirEnd] = [ourBounds.get(partition), theirBounds.get(partition)]
    const records = await Promise.all([tail(ours, ourEnd), tail(theirs, theirEnd)])
    const [a, b] = [
      { id: ours.id, records: records[0] },
      { id: theirs.id, records: records[1] },
    ]
    yield* compare(partition, apart(a, b), apart(b, a))
  }
}

type Tail = { readonly id: string; readonly records: readonly RecordRead[] }

/** Records without a key that a merge has brought over stand on both sides: what they say of their origin tells. */
function apart({ id, records }: Tail, other: Tail): RecordRead[] {
  const places = (of: string, { partition, offset, headers }: RecordRead) => [
    `${of}:${partition}:${offset}`,
    ...headers.filter(({ key }) => key === 'branch.origin').map(({ value }) => String(value)),
  ]
  const there = new Set(other.records.flatMap((record) => places(other.id, record)))
  return records.filter((record) => record.key !== null || !places(id, record).some((place) => there.has(place)))
}

function* compare(partition: number, a: readonly RecordRead[], b: readonly RecordRead[]): Generator<Difference> {
  const newest = (records: readonly RecordRead[]) =>
    new Map(
      records.flatMap((record) => (record.key === null ? [] : [[record.key.toString('latin1'), record] as const])),
    )
  const [ours, theirs] = [newest(a), newest(b)]
  for (const [key, record] of ours) {
    const other = theirs.get(key)
    if (other === undefined) yield { partition, key: record.key, kind: 'only ours', ours: record }
    else if (!isSame(record.value, other.value)) {
      yield { partition, key: record.key, kind: 'both', ours: record, theirs: other }
    }
  }
  for (const [key, record] of theirs) {
    if (!ours.has(key)) yield { partition, key: record.key, kind: 'only theirs', theirs: record }
  }
  for (const record of a) if (record.key === null) yield { partition, key: null, kind: 'only ours', ours: record }
  for (const record of b) if (record.key === null) yield { partition, key: null, kind: 'only theirs', theirs: record }
}

const isSame = (a: Buffer | null, b: Buffer | null): boolean => (a === null || b === null ? a === b : a.equals(b))

export type Counts = { onlyOurs: number; onlyTheirs: number; both: number }

export function count(found: readonly Difference[]): Counts {
  const of = (kind: Difference['kind']) => found.filter((one) => one.kind === kind).length
  return { onlyOurs: of('only ours'), onlyTheirs: of('only theirs'), both: of('both') }
}

export function countsInWords({ onlyOurs, onlyTheirs, both }: Counts, ours: string, theirs: string): string {
  const columns = [{ title: 'CHANGED' }, { title: 'COUNT', right: true }]
  return table(columns, [
    [`only on ${ours}`, String(onlyOurs)],
    [`only on ${theirs}`, String(onlyTheirs)],
    ['on both, differently', String(both)],
  ])
}

export function differenceTable(
  found: readonly Difference[],
  ours: string,
  theirs: string,
  valueLengthMax = 40,
): string {
  const columns = [
    { title: 'PARTITION', right: true },
    { title: 'KEY' },
    { title: 'CHANGED' },
    { title: ours },
    { title: theirs },
  ]
  const kinds = { 'only ours': `only on ${ours}`, 'only theirs': `only on ${theirs}`, both: 'on both' }
  const side = (one: Side | undefined) =>
    one === undefined ? '' : `${one.offset}: ${shown(one.value, valueLengthMax)}`
  const rows = found.map(({ partition, key, kind, ours, theirs }) => [
    String(partition),
    key === null ? '(none)' : shown(key, 30),
    kinds[kind],
    side(ours),
    side(theirs),
  ])
  return table(columns, rows)
}

/** Bytes as JSON can hold them. */
const told = (name: string, bytes: Buffer | null): Record<string, string | null> => {
  if (bytes === null) return { [name]: null }
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? { [name]: text } : { [`${name}Base64`]: bytes.toString('base64') }
}

export function differenceJson({ partition, key, kind, ours, theirs }: Difference): Record<string, unknown> {
  const side = (one: Side | undefined) => one && { offset: one.offset, ...told('value', one.value) }
  return {
    partition,
    ...told('key', key),
    kind,
    ...(ours === undefined ? {} : { ours: side(ours) }),
    ...(theirs === undefined ? {} : { theirs: side(theirs) }),
  }
}
