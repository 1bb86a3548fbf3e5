// How what belongs to a branch set is called where it is kept (§1.8): topics by a name of their own, groups and transactional
// ids by a pair, and how a client id says which set it enters.
//
// A pair in memory is one string that begins with a lone surrogate: text that was read from bytes never does, so that no
// client, whatever it calls its group, can name another's. Where a pair becomes bytes it is written as plain text, and the
// names of the root that look like one are marked:
//
//   (set, id)                U+0001 set U+0001 id
//   root id U+0001 …         U+0001 U+0001 …
//   any other root id        as it is

const mark = '\udc00'
const written = '\u0001'

/** Where a set's topic of that name is stored, unless the fork has named another place. */
export const topicInside = (set: string, name: string): string => `${name}--${set}`

/** What a topic of the set is called inside that is stored so. */
export function shownInside(set: string, stored: string): string {
  const ending = topicInside(set, '')
  return stored.endsWith(ending) ? stored.slice(0, -ending.length) : stored
}

/** A group, as the coordinator knows it, that members who have entered the set call `groupId`. */
export const groupInside = (set: string, groupId: string): string => `${mark}${set}${mark}${groupId}`

/** The same for transactional ids. */
export const transactionInside = groupInside

/** What an id stands for if it is a set's; undefined for one of the root. */
export function insideOf(id: string): { readonly set: string; readonly id: string } | undefined {
  if (!id.startsWith(mark)) return undefined
  const end = id.indexOf(mark, 1)
  return { set: id.slice(1, end), id: id.slice(end + 1) }
}

/** A group or transactional id as text that bytes can hold. */
export function writtenId(id: string): string {
  const inside = insideOf(id)
  if (inside !== undefined) return `${written}${inside.set}${written}${inside.id}`
  return id.startsWith(written) ? written + id : id
}

/** The id that was written so. */
export function readId(text: string): string {
  if (!text.startsWith(written)) return text
  if (text.startsWith(written, 1)) return text.slice(1)
  const end = text.indexOf(written, 1)
  // Nobody writes a single mark; what another broker wrote is a name like any other.
  return end === -1 ? text : groupInside(text.slice(1, end), text.slice(end + 1))
}

const label = /^[A-Za-z0-9._]([A-Za-z0-9._-]{0,62}[A-Za-z0-9._])?$/

/** Whether a set may be called so. */
export const isSetLabel = (text: string): boolean => label.test(text) && !text.includes('--')

const door = '--branch--'
/** What nobody can be in: a client id that means to enter a set and does not say which. */
export const noSet = ''

/**
 * The set that a client id enters: `…--branch--S--…`, whatever frameworks add at either end. One that says only half of it,
 * or two things, means no set that there is (`noSet`): such a client must not end up in the root.
 */
export function setEntered(clientId: string): string | undefined {
  if (!clientId.includes(door)) return undefined
  const labels = clientId.split(door).slice(1).map(labelOf)
  const [first = noSet] = labels
  return labels.every((each) => each === first) ? first : noSet
}

function labelOf(rest: string): string {
  const end = rest.indexOf('--')
  const text = end === -1 ? '' : rest.slice(0, end)
  return isSetLabel(text) ? text : noSet
}
