// `branch conflicts`: what stands in `__branch_conflicts` for those who decide.

import { conflictsTopic } from '../../branch/json-topics.ts'
import type { KafkaClient } from '../client/kafka-client.ts'
import { readPartition } from '../client/reading.ts'
import { expectTwiglog } from '../client/session.ts'
import { shown, table, timeInWords } from './table.ts'

export type Version = {
  readonly offset: number
  readonly timestamp: number
  readonly value?: string | null
  readonly valueBase64?: string
}

/** As the topic tells it, with what its key says. */
export type OpenConflict = {
  readonly merge: string
  readonly topic: string
  readonly partition: number
  readonly key: Buffer
  readonly kind: string
  /** The target, which may have another name by now. */
  readonly intoId: string
  readonly paths?: readonly string[]
  readonly base?: Version
  readonly ours?: Version
  readonly theirs?: Version
}

/** Those that are open, oldest first; of one merge, of one key. */
export async function openConflicts(client: KafkaClient, merge?: string, key?: Buffer): Promise<OpenConflict[]> {
  const topic = (await client.topics([conflictsTopic])).get(conflictsTopic)
  if (topic === undefined) {
    await expectTwiglog(client)
    return []
  }
  const { start, end } = (await client.bounds(topic)).get(0)!
  const open = new Map<string, OpenConflict>()
  for await (const record of readPartition(client, topic, 0, { from: start, until: end })) {
    const name = String(record.key)
    open.delete(name)
    if (record.value !== null) open.set(name, conflictOf(name, record.value))
  }
  return [...open.values()].filter((one) => {
    return (merge === undefined || one.merge === merge) && (key === undefined || one.key.equals(key))
  })
}

/** The id of a merge may hold what stands between the parts. */
function conflictOf(name: string, value: Buffer): OpenConflict {
  const parts = name.split('|')
  const key = Buffer.from(parts.at(-1)!, 'base64')
  const merge = parts.slice(0, -3).join('|')
  const { kind, intoId, paths, base, ours, theirs } = JSON.parse(value.toString())
  const place = { merge, topic: parts.at(-3)!, partition: Number(parts.at(-2)), key }
  return { ...place, kind, intoId, paths, base, ours, theirs }
}

const bytesOf = ({ value, valueBase64 }: Version): Buffer | null | undefined => {
  if (valueBase64 !== undefined) return Buffer.from(valueBase64, 'base64')
  return value === undefined ? undefined : value === null ? null : Buffer.from(value)
}

function side(version: Version | undefined, lengthMax: number): string {
  if (version === undefined) return ''
  const value = bytesOf(version)
  // It is too large to be told, or its reader is to need the right to read the topic.
  return value === undefined ? `offset ${version.offset}` : value === null ? '(deleted)' : shown(value, lengthMax)
}

export function conflictTable(conflicts: readonly OpenConflict[]): string {
  if (conflicts.length === 0) return 'Nothing is in conflict.'
  const columns = ['MERGE', 'TOPIC', 'PARTITION', 'KEY', 'KIND', 'OURS (TARGET)', 'THEIRS (SOURCE)']
  const rows = conflicts.map(({ merge, topic, partition, key, kind, ours, theirs }) => [
    merge,
    topic,
    String(partition),
    shown(key, 30),
    kind,
    side(ours, 30),
    side(theirs, 30),
  ])
  return table(
    columns.map((title) => ({ title })),
    rows,
  )
}

/** All that is known of one. */
export function conflictCard(conflict: OpenConflict): string {
  const { merge, topic, partition, key, kind, paths = [], base, ours, theirs } = conflict
  const whole = (version: Version | undefined) =>
    version === undefined
      ? '(there is none)'
      : `${side(version, 1_000)}\n           offset ${version.offset}, ${timeInWords(version.timestamp)} UTC`
  const lines: [string, string][] = [
    ['Key', `${shown(key, 200)}   ${topic}, partition ${partition}`],
    ['Merge', merge],
    ['Kind', `${kind} (theirs/ours)`],
    ...(paths.length === 0 ? [] : [['Members', paths.join('  ')] as [string, string]]),
    ['Base', whole(base)],
    ['Ours', whole(ours)],
    ['Theirs', whole(theirs)],
  ]
  return lines.map(([title, text]) => `${title.padEnd(10)} ${text}`).join('\n')
}

/** What a program reads; keys and values as they stand in the topic. */
export function conflictJson({ key, ...rest }: OpenConflict): Record<string, unknown> {
  const text = key.toString()
  const named = Buffer.from(text).equals(key) ? { key: text } : { keyBase64: key.toString('base64') }
  return { ...named, ...rest }
}
