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
    ...(event['bootstrap'] === undefined ? [] : [String(event['bootstrap'])]),
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
  const { error, replayed } = event
  if (error !== undefined) {
    const before = replayed ? '\nThis id was used before; that was its result. Take another id to try again.' : ''
    return `${error.code}: ${error.message}${before}`
  }
  const again = replayed ? ['This id was done before; that was its result.'] : []
  return [...wordsOf(event), ...again].join('\n')
}

function wordsOf(event: BranchEvent): string[] {
  const { type, topics = [], copied = 0 } = event
  switch (type) {
    case 'fork':
    case 'reset': {
      const words = copied > 0 ? [`${copied} bytes had to be copied: the disk cannot share files.`] : []
      return [forked(topics), ...words]
    }
    case 'delete':
      return [`Deleted: ${topics.map(({ into }) => into).join(', ')}.`]
    case 'plan':
      return planned(event)
    case 'promote':
      return topics.map(promoted)
    case 'listen':
      return [
        `The set ${event.set} is served at ${event['bootstrap']}: who connects there sees its topics under the old names.`,
      ]
    default:
      return written(event)
  }
}

function planned(event: BranchEvent): string[] {
  const { topics = [], counts, status } = event
  switch (event['op']) {
    case 'fork':
    case 'reset':
      return ['Would make:', forked(topics)]
    case 'abandon':
      return [`Would delete: ${topics.map(({ into }) => into).join(', ')}.`]
    case 'promote':
      return ['Would rename:', ...topics.map(({ from, into }) => `${from} → ${into}`)]
    default:
      return [counts === undefined ? `${status}.` : `Would be ${countsInWords(event)}.`, ...keysInWords(event)]
  }
}

const done: Readonly<Record<string, string>> = { merge: 'Merged', revert: 'Reverted', resolve: 'Resolved' }

/** What merges, reverts and resolutions have written, or why they have not. */
function written(event: BranchEvent): string[] {
  const { type, status, counts, gateMs } = event
  const numbers = counts === undefined ? '' : `: ${countsInWords(event)}`
  if (status === 'conflicts') {
    return [
      `Nothing was written${numbers.replace(': 0 written, ', ': ')}.`,
      ...keysInWords(event),
      'What is to become of them is said with --on-conflict: park, ours, theirs or newest.',
    ]
  }
  const gate = gateMs === undefined ? '' : ` Producers were held back for ${gateMs} ms.`
  const parked = status === 'parked' ? ['twiglog branch conflicts list shows what is open.'] : []
  return [`${done[type] ?? type}${numbers}.${gate}`, ...parked]
}

/** Of what there is none is not spoken. */
function countsInWords(event: BranchEvent): string {
  const { written, same, skipped, conflicts } = event.counts!
  const isRevert = event.type === 'revert' || event['op'] === 'revert'
  const words = [
    `${written} written`,
    ...(same > 0 ? [`${same} ${isRevert ? 'as before already' : 'the same on both sides'}`] : []),
    ...(skipped > 0 ? [`${skipped} left as they were`] : []),
    ...(conflicts > 0 ? [`${conflicts} in conflict`] : []),
  ]
  return words.join(', ')
}

/** Keys that a plan, or a merge that was refused, tells of. */
function keysInWords({ keys }: BranchEvent): string[] {
  if (!Array.isArray(keys) || keys.length === 0) return []
  const rows = (keys as PlannedKey[]).map(({ topic, partition, key, keyBase64, kind }) => {
    const bytes = keyBase64 === undefined ? Buffer.from(key ?? '') : Buffer.from(keyBase64, 'base64')
    const isNamed = keyBase64 !== undefined || typeof key === 'string'
    return [topic, String(partition), isNamed ? shown(bytes, 40) : '(none)', kind]
  })
  return [
    table(
      ['TOPIC', 'PARTITION', 'KEY', ''].map((title) => ({ title })),
      rows,
    ),
  ]
}

function promoted({ from, into, kept }: EventTopic): string {
  const other = kept === undefined ? '' : ` What was ${into} lives on as ${kept}; to promote that undoes it.`
  return `${from} is ${into} now.${other}`
}

function forked(topics: readonly EventTopic[]): string {
  const columns = [{ title: 'BRANCH' }, { title: 'OF' }, { title: 'CUT AT' }]
  return table(
    columns,
    topics.map((topic) => [topic.into ?? '', topic.from ?? '', partitionsOf(topic)]),
  )
}
