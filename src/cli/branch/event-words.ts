// What happened to branches, in words for people.

import type { BranchEvent, EventTopic, PlannedKey } from '../../branch/events.ts'
import { shown, table, timeInWords } from './table.ts'

const partitionsOf = ({ partitions = [] }: EventTopic): string =>
  partitions.map(({ partition, to }) => `${partition}=${to ?? '-'}`).join(' ')

/** One line of the log. */
export function eventLine(event: BranchEvent): string[] {
  const { at, id, type, status, by, set, topics = [], error, counts, replayed } = event
  const pairs = topics.map(({ from, into }) => (from === undefined ? (into ?? '') : `${from} → ${into ?? ''}`))
  const many = pairs.length > 2 ? [...pairs.slice(0, 2), `and ${pairs.length - 2} more`] : pairs
  const words = [
    ...(set === undefined ? [] : [`set ${set}:`]),
    ...many,
    ...(counts === undefined ? [] : [`${counts.written} written, ${counts.conflicts} conflicts`]),
    ...(error === undefined ? [] : [`${error.code}: ${error.message}`]),
    ...(replayed ? ['(told again)'] : []),
  ]
  return [timeInWords(at), type, status, id, by, words.join(' ')]
}

/** That something has begun is news only as long as nobody knows how it ended. */
export function logTable(all: readonly BranchEvent[]): string {
  const ended = new Set(all.flatMap(({ id, type }) => (type === 'merge-begin' ? [] : [id])))
  const events = all.filter(({ id, type }) => type !== 'merge-begin' || !ended.has(id))
  const columns = ['TIME (UTC)', 'EVENT', 'STATUS', 'ID', 'BY', ''].map((title) => ({ title }))
  return table(columns, events.map(eventLine))
}

/** The result of a command. */
export function resultInWords(event: BranchEvent): string {
  const { type, status, topics = [], error, replayed, copied = 0, counts } = event
  if (error !== undefined) return `${error.code}: ${error.message}`
  const again = replayed ? '\nThis id was done before; that was its result.' : ''
  switch (type) {
    case 'fork':
      return `${forked(topics)}${copied > 0 ? `\n${copied} bytes had to be copied: the disk cannot share files.` : ''}${again}`
    case 'delete':
      return `Deleted: ${topics.map(({ into }) => into).join(', ')}.${again}`
    case 'plan':
      if (event['op'] === 'fork' || event['op'] === 'reset') return `Would make:\n${forked(topics)}`
      if (event['op'] === 'abandon') return `Would delete: ${topics.map(({ into }) => into).join(', ')}.`
      if (event['op'] === 'promote') return `Would rename:\n${renamed(topics)}`
      return [`${counts === undefined ? status : countsInWords(counts)}.`, ...keysInWords(event)].join('\n')
    case 'promote':
      return `${renamed(topics)}${again}`
    case 'reset':
      return `${forked(topics)}${again}`
    default: {
      const numbers = counts === undefined ? '' : `: ${countsInWords(counts)}`
      const gate = event.gateMs === undefined ? '' : ` Producers were held back for ${event.gateMs} ms.`
      const bootstrap =
        typeof event['bootstrap'] === 'string' ? ` Clients of the set connect to ${event['bootstrap']}.` : ''
      const said = `${type} ${status}${numbers}.${gate}${bootstrap}${again}`
      const next = { parked: 'twiglog branch conflicts list shows what is open.', conflicts: 'Nothing was written.' }[
        status as string
      ]
      return [said, ...keysInWords(event), ...(next === undefined ? [] : [next])].join('\n')
    }
  }
}

const countsInWords = ({ written, same, skipped, conflicts }: NonNullable<BranchEvent['counts']>): string =>
  `${written} written, ${same} the same on both sides, ${skipped} left out, ${conflicts} in conflict`

/** Keys that a plan, or a merge that was refused, tells of. */
function keysInWords({ keys }: BranchEvent): string[] {
  if (!Array.isArray(keys) || keys.length === 0) return []
  const rows = (keys as PlannedKey[]).map(({ topic, partition, key, keyBase64, kind }) => {
    const bytes =
      keyBase64 === undefined ? (key === undefined ? null : Buffer.from(key)) : Buffer.from(keyBase64, 'base64')
    return [topic, String(partition), key === null ? '(none)' : shown(bytes, 40), kind]
  })
  return [
    table(
      ['TOPIC', 'PARTITION', 'KEY', ''].map((title) => ({ title })),
      rows,
    ),
  ]
}

const renamed = (topics: readonly EventTopic[]): string =>
  topics.map(({ from, into, kept }) => `${from} → ${into}${kept === undefined ? '' : `, ${into} → ${kept}`}`).join('\n')

function forked(topics: readonly EventTopic[]): string {
  const columns = [{ title: 'BRANCH' }, { title: 'OF' }, { title: 'CUT AT' }]
  return table(
    columns,
    topics.map((topic) => [topic.into ?? '', topic.from ?? '', partitionsOf(topic)]),
  )
}
