// `branch.at`: where a branch leaves its parent, as it is written down.

import { Refusal } from '../../protocol/errors.ts'

export type ForkPoint =
  | { readonly kind: 'latest' | 'earliest' }
  /** The same offset in every partition. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** By partition; those left out are cut at the end. */
  | { readonly kind: 'offsets'; readonly offsets: ReadonlyMap<number, number> }
  /** ms since 1970. */
  | { readonly kind: 'timestamp'; readonly timestamp: number }
  /** Where a group has committed. */
  | { readonly kind: 'group'; readonly group: string }

const forms = 'latest, earliest, offset:N, offsets:0=N,1=M, timestamp:<ms or ISO-8601> or group:<group id>'

const bad = (text: string, why: string): Refusal =>
  new Refusal('INVALID_CONFIG', `branch.at=${text}: ${why} Write ${forms}.`)

/** Answers a refusal of INVALID_CONFIG where the text says nothing that can be understood. */
export function parseForkPoint(text: string): ForkPoint | Refusal {
  if (text === 'latest' || text === 'earliest') return { kind: text }
  const colon = text.indexOf(':')
  const kind = text.slice(0, colon)
  const rest = text.slice(colon + 1)
  if (colon === -1) return bad(text, 'This is no fork point.')
  switch (kind) {
    case 'offset': {
      const offset = offsetOf(rest)
      return offset === undefined ? bad(text, `'${rest}' is no offset.`) : { kind, offset }
    }
    case 'offsets':
      return parseOffsets(text, rest)
    case 'timestamp': {
      const timestamp = timeIn(rest)
      return timestamp === undefined ? bad(text, `'${rest}' is no time.`) : { kind, timestamp }
    }
    case 'group':
      return rest === '' ? bad(text, 'The group has no name.') : { kind, group: rest }
    default:
      return bad(text, `'${kind}' is none of the ways to say it.`)
  }
}

function parseOffsets(text: string, list: string): ForkPoint | Refusal {
  const offsets = new Map<number, number>()
  for (const each of list.split(',')) {
    const [partition = '', offset = '', ...more] = each.split('=').map((part) => part.trim())
    const [at, number] = [offsetOf(offset), offsetOf(partition)]
    if (at === undefined || number === undefined || more.length > 0)
      return bad(text, `'${each}' is not PARTITION=OFFSET.`)
    if (offsets.has(number)) return bad(text, `Partition ${number} is named twice.`)
    offsets.set(number, at)
  }
  return { kind: 'offsets', offsets }
}

function offsetOf(text: string): number | undefined {
  const offset = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(offset) ? offset : undefined
}

/**
 * ms since 1970, or a date, alone or with a time (ISO 8601): without a zone it is UTC, whatever the machine thinks. Undefined where it
 * is none of these: Date.parse finds a time in nearly every text.
 */
export function timeIn(text: string): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text)
  if (parts === null) return undefined
  const [, date, clock = '00:00', zone = 'Z'] = parts
  const time = Date.parse(`${date}T${clock}${zone}`)
  // It makes the 2nd of March of the 30th of February.
  return Number.isNaN(time) || !isDay(date!) ? undefined : time
}

const isDay = (date: string): boolean => new Date(`${date}T00:00Z`).toISOString().startsWith(date)
