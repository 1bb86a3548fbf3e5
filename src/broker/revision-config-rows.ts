// What can be configured of a topic that keeps every value of a key as a revision. Listed where one of the names is in use
// only: a broker without revisions looks like any other.

import { plainPointer } from '../revision/json-scalars.ts'
import { parseKeepRule } from '../revision/keep-rules.ts'
import type { ConfigType, ConfigValue } from './config-table.ts'
import type { TopicRow } from './topic-config-rows.ts'

const row = (
  name: string,
  type: ConfigType,
  value: string | number | boolean,
  doc: string,
  limits: Partial<TopicRow> = {},
): TopicRow => ({
  name,
  type,
  default: String(value),
  effect: true,
  internal: true,
  group: 'revision',
  doc,
  ...limits,
})

const keepForms = 'all, or a list of last:N, hourly:H and daily:D such as last:10,daily:30'

const keepRule = (name: string) => (value: ConfigValue) => {
  const text = (value as readonly string[]).join(',')
  const rule = parseKeepRule(text)
  return typeof rule === 'string'
    ? `Invalid value ${text} for configuration ${name}: ${rule}; write ${keepForms}`
    : undefined
}

/** An `=` could not be told from that of `view.where`: it is written as in a URI there, and here. */
const isPointer = (text: string): boolean => plainPointer(text) !== undefined && !text.includes('=')

function pointers(value: ConfigValue): string | undefined {
  const name = 'revision.index.json'
  const list = value as readonly string[]
  const wrong = list.find((text) => !isPointer(text))
  if (wrong !== undefined) {
    return `Invalid value ${list.join(',')} for configuration ${name}: '${wrong}' is no JSON Pointer without '='; write /status, /customer/id, or #/a%3Db for the member a=b`
  }
  const most = 64
  return list.length > most
    ? `Invalid value for configuration ${name}: ${list.length} pointers, ${most} are the most`
    : undefined
}

export const revisionTopicRows: readonly TopicRow[] = [
  row(
    'revision.diff',
    'boolean',
    false,
    'Every record with a key is a revision of it; closed segments are packed as differences between the revisions of a key.',
  ),
  row(
    'revision.keep',
    'list',
    'all',
    `Which revisions of a key stay when a segment is packed: ${keepForms}; the newest always does.`,
    { check: keepRule('revision.keep') },
  ),
  row('revision.large.bytes', 'int', 1_048_576, 'Values of this length and more are kept by revision.large.keep.', {
    min: 0,
  }),
  row('revision.large.keep', 'list', 'last:8', 'As revision.keep, for large values.', {
    check: keepRule('revision.large.keep'),
  }),
  row(
    'revision.keyframe.every',
    'int',
    256,
    'The most revisions in one chain of differences: a value takes a sixteenth of it and 15 to read, at most.',
    { min: 1, max: 65_536 },
  ),
  row('revision.diff.max.bytes', 'int', 16_777_216, 'Longer values are stored as they are.', { min: 0 }),
  row('revision.pack.lag.ms', 'long', 60_000, 'A segment is packed this long after it was closed.', { min: 0 }),
  row(
    'revision.index.json',
    'list',
    '',
    'JSON Pointers whose values view.where can ask for, of values that are JSON.',
    { check: pointers },
  ),
]
