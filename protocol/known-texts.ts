// Names and ids that come with every request, as strings that are there already: most of them are the same again. What is not
// found is made, and takes the place of another. A name of 14 characters out of a frame takes 80 ns when it is made, 40 so
// (3,000,000 of 20 names, in a loop), and whoever looks it up finds its hash done.

const slotCount = 1024
/** Longer texts are made each time. */
export const knownBytesMax = 64

const texts: string[] = new Array<string>(slotCount).fill('')

/** The ASCII text of `[from, to)`. `hash`: of just these bytes. */
export function knownText(bytes: Buffer, from: number, to: number, hash: number): string {
  const slot = hash & (slotCount - 1)
  const known = texts[slot]!
  if (known.length === to - from && isText(known, bytes, from)) return known
  const text = bytes.toString('latin1', from, to)
  texts[slot] = text
  return text
}

function isText(text: string, bytes: Buffer, from: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false
  return true
}

export const idBytes = 16
type Id = { readonly text: string; readonly bytes: Buffer }
const nil: Id = { text: 'AAAAAAAAAAAAAAAAAAAAAA', bytes: Buffer.alloc(idBytes) }
// Ids are random: two of their bytes, or three of their characters, say where to look.
const byBytes: Id[] = new Array<Id>(slotCount).fill(nil)
const byText: Id[] = new Array<Id>(slotCount).fill(nil)

/** The 16 bytes of an id at `at` as text (base64url). */
export function knownId(bytes: Buffer, at: number): string {
  const slot = ((bytes[at]! << 8) | bytes[at + 1]!) & (slotCount - 1)
  const known = byBytes[slot]!
  if (isId(known.bytes, bytes, at)) return known.text
  const text = bytes.toString('base64url', at, at + idBytes)
  byBytes[slot] = { text, bytes: Buffer.from(bytes.subarray(at, at + idBytes)) }
  return text
}

function isId(known: Buffer, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < idBytes; i++) if (known[i] !== bytes[at + i]) return false
  return true
}

/** The bytes of an id; what is too short ends in zeros. Not to be changed. */
export function knownIdBytes(text: string): Buffer {
  const slot = ((text.charCodeAt(0) << 12) ^ (text.charCodeAt(1) << 6) ^ text.charCodeAt(2)) & (slotCount - 1)
  const known = byText[slot]!
  if (known.text === text) return known.bytes
  const bytes = Buffer.alloc(idBytes)
  bytes.write(text, 'base64url')
  byText[slot] = { text, bytes }
  return bytes
}
