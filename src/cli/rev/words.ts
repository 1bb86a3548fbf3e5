// Revisions, differences and deltas as people and programs are told of them.

import { Verbatim, verbatim } from '../../branch/verbatim-json.ts'
import { bytesInWords, table, timeInWords } from '../branch/table.ts'
import { jsonDifference } from './json-difference.ts'
import type { Delta, Revision } from './revision-client.ts'
import { textDifference } from './text-difference.ts'

export type Paint = { readonly gone: (text: string) => string; readonly come: (text: string) => string }

export function paintOf(colour: boolean): Paint {
  const paint = (code: number) => (text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)
  return { gone: paint(31), come: paint(32) }
}

export function revisionTable(revisions: readonly Revision[]): string {
  const columns = [
    { title: 'REV', right: true },
    { title: 'OFFSET', right: true },
    { title: 'TIME (UTC)' },
    { title: 'BYTES', right: true },
    { title: 'STORED', right: true },
    { title: 'AS' },
  ]
  const rows = revisions.map(({ rev, offset, timestamp, size, stored, format }) => [
    String(rev),
    String(offset),
    timeInWords(timestamp),
    format === 'tombstone' ? '' : String(size),
    format === 'tombstone' ? '' : String(stored),
    { full: 'full', vcdiff: 'delta', tombstone: 'deleted' }[format],
  ])
  return table(columns, rows)
}

/** As programs are told, its key as far as it is text. */
export function revisionJson(key: Buffer, revision: Revision): Record<string, unknown> {
  const { partition, rev, offset, timestamp, size, stored, format } = revision
  const text = key.toString()
  const named = Buffer.from(text).equals(key) ? { key: text } : { keyBase64: key.toString('base64') }
  return { partition, ...named, rev, offset, timestamp, size, stored, format }
}

/** Text as it is, or bytes as base64. */
export function valueInWords(value: Buffer | null): string {
  if (value === null) return 'deleted'
  const text = value.toString()
  return Buffer.from(text).equals(value) ? text : `base64:${value.toString('base64')}`
}

/** JSON has lines between its signs only, where they mean nothing: there is one value a line. */
const onOneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ')

/** JSON as it was written, where it parses, else text, else base64. */
export function valueJson(value: Buffer | null): Record<string, unknown> {
  if (value === null) return { value: null, tombstone: true }
  const text = value.toString()
  if (!Buffer.from(text).equals(value)) return { valueBase64: value.toString('base64'), tombstone: false }
  return { value: verbatim(text) === undefined ? text : new Verbatim(onOneLine(text)), tombstone: false }
}

export type Side = { readonly rev: number; readonly value: Buffer | null }

export function differenceInWords(from: Side, to: Side, { gone, come }: Paint): string {
  const head = `${gone(`--- revision ${from.rev}`)}\n${come(`+++ revision ${to.rev}`)}`
  const before = from.value
  const after = to.value
  if (before === null || after === null) {
    const lines = [
      ...(before === null
        ? []
        : valueInWords(before)
            .split('\n')
            .map((line) => gone(`- ${line}`))),
      ...(after === null
        ? []
        : valueInWords(after)
            .split('\n')
            .map((line) => come(`+ ${line}`))),
    ]
    return [head, ...(lines.length === 0 ? ['Both are deletions.'] : lines)].join('\n')
  }
  if (before.equals(after)) return `${head}\nThey are the same.`
  const changes = jsonDifference(before, after)
  if (changes !== undefined && changes.length > 0) {
    const lines = changes.flatMap(({ path, from, to }) => [
      ...(from === undefined ? [] : [gone(`- ${path}: ${from}`)]),
      ...(to === undefined ? [] : [come(`+ ${path}: ${to}`)]),
    ])
    return [head, ...lines].join('\n')
  }
  const lines = textDifference(before, after)
  if (lines === undefined) return `${head}\nBytes that are no text: ${before.length} B before, ${after.length} B after.`
  const paint = { '-': gone, '+': come, ' ': (text: string) => text }
  return [head, ...lines.map(({ sign, text }) => paint[sign](`${sign} ${text}`))].join('\n')
}

export function differenceJson(from: Side, to: Side): Record<string, unknown> {
  const changes = jsonDifference(from.value, to.value)?.map(({ path, ...sides }) => {
    const texts = Object.entries(sides).map(([name, text]) => [name, new Verbatim(onOneLine(text))])
    return { path, ...Object.fromEntries(texts) }
  })
  const side = ({ rev, value }: Side) => ({ rev, ...valueJson(value) })
  return changes === undefined
    ? { from: side(from), to: side(to) }
    : { from: { rev: from.rev }, to: { rev: to.rev }, changes }
}

export function deltaTable(deltas: readonly Delta[]): string {
  const columns = [
    { title: 'REV', right: true },
    { title: 'FROM', right: true },
    { title: 'AS' },
    { title: 'CRC-32C' },
    { title: 'BASE64' },
  ]
  const rows = deltas.map(({ rev, base, format, crc32c, bytes }) => [
    String(rev),
    base === undefined ? '' : String(base),
    format,
    crc32c,
    bytes?.toString('base64') ?? '',
  ])
  return table(columns, rows)
}

export const deltaJson = ({ rev, base, format, bytes, crc32c, size }: Delta): Record<string, unknown> => ({
  rev,
  ...(base === undefined ? {} : { base }),
  format,
  size,
  crc32c,
  deltaBase64: bytes?.toString('base64') ?? null,
})

export type Stats = {
  keys: number
  revisions: number
  tombstones: number
  fullBytes: number
  storedBytes: number
  firstMs: number
  lastMs: number
  /** Of the topic's packed values, those that its JSON index does not know; undefined where it has none. */
  unparsed?: number
}

export function statsInWords(stats: Stats): string {
  const { keys, revisions, tombstones, fullBytes, storedBytes, firstMs, lastMs, unparsed } = stats
  const share = fullBytes === 0 ? '' : ` (${((100 * storedBytes) / fullBytes).toFixed(1)} %)`
  const rows = [
    ['Keys', String(keys)],
    ['Revisions', tombstones === 0 ? String(revisions) : `${revisions}, ${tombstones} of them deletions`],
    ['Values', bytesInWords(fullBytes)],
    ['Stored as', `${bytesInWords(storedBytes)}${share}`],
    ['Between (UTC)', revisions === 0 ? '' : `${timeInWords(firstMs)} and ${timeInWords(lastMs)}`],
    ...(unparsed === undefined ? [] : [['No JSON', `${unparsed} of the packed values: view.where does not show them`]]),
  ]
  return rows.map(([name, value]) => `${name!.padEnd(13)}  ${value}`.trimEnd()).join('\n')
}
