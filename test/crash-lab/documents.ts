// What the lab's producers write: documents that say who they are, and whose every other byte follows from that, so that
// a reader sees at once whether one is whole.

import { createHash } from 'node:crypto'

/** Of one document and the next most words are the same, and each is read again and again. */
const words = new Map<string, string>()
const wordsMax = 200_000

function word(of: string): string {
  const known = words.get(of)
  if (known !== undefined) return known
  const made = createHash('sha1').update(of).digest('hex').slice(0, 12)
  if (words.size >= wordsMax) words.clear()
  words.set(of, made)
  return made
}

/** Lines of which a few are others than in the document before, as in what a revision topic is for. */
function bodyOf(id: string): string[] {
  const [name = '', n = '0'] = id.split('#')
  const lines = name.includes('rev') ? 24 : 1 + (Number(n) % 7)
  return Array.from({ length: lines }, (_, line) => word(`${name} ${line} ${Math.floor((Number(n) + line * 5) / 17)}`))
}

/** `id` is `name#n`. */
export function documentOf(id: string): Buffer {
  return Buffer.from(JSON.stringify({ id, body: bodyOf(id) }))
}

/** What a tombstone is called. */
export const deleted = '~'

/** The id; `!…` where the document is not what was written. */
export function idOf(value: Buffer | null): string {
  if (value === null) return deleted
  try {
    const { id } = JSON.parse(value.toString()) as { id: string }
    return documentOf(id).equals(value) ? id : `!damaged ${id}`
  } catch {
    return `!no document: ${value.subarray(0, 60).toString('latin1')}`
  }
}
