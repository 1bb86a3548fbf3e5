// Walks a message along the fields that bear names (bearing.ts) and puts other names in their place. Requests are changed
// where they are; answers are copied as far as something changes, for handlers may hand out what is theirs.

import type { Bearing, Fields, Leaf, Listed, Shape } from './bearing.ts'

type Message = Record<string, unknown>

/** What somebody inside calls things, and what they are called below. */
export interface Translator {
  /** For rooms below. Null where they shall not be asked. */
  ask(leaf: Leaf, text: string): string | null
  /** For the client; undefined: of another life. */
  tell(leaf: Leaf, text: string): string | undefined
}

const isObject = (value: unknown): value is Message => typeof value === 'object' && value !== null
const isListed = (shape: Fields | Listed): shape is Listed => 'listed' in shape

/** The leaf that a field is, where it is one; what it is may depend on its neighbours. */
function leafOf(shape: Shape, message: Message): Leaf | undefined {
  if (typeof shape === 'string') return shape
  if (!('by' in shape)) return undefined
  return (shape.cases as Readonly<Record<string, Leaf>>)[String(message[shape.by as string])] ?? 'kept'
}

export function translateRequest({ asks }: Bearing, request: Message, translator: Translator): void {
  for (const field in asks) {
    const value = request[field]
    if (value === null || value === undefined) continue
    const leaf = leafOf(asks[field]!, request)
    if (leaf === 'kept') continue
    if (leaf !== undefined) {
      request[field] = Array.isArray(value)
        ? value.map((text: string) => translator.ask(leaf, text))
        : translator.ask(leaf, value as string)
      continue
    }
    const inner = { asks: asks[field] as Fields, tells: {} }
    if (Array.isArray(value)) for (const each of value) translateRequest(inner, each as Message, translator)
    else translateRequest(inner, value as Message, translator)
  }
}

export function translateAnswer({ tells }: Bearing, answer: Message, translator: Translator): Message {
  return told(tells, answer, translator)?.message ?? answer
}

/** `isForeign`: something in it is of another life. Undefined where there is nothing to translate. */
function told(fields: Fields, message: Message, translator: Translator) {
  let copy: Message | undefined
  let isForeign = false
  for (const field in fields) {
    const value = message[field]
    if (value === null || value === undefined) continue
    const shape = fields[field]!
    const leaf = leafOf(shape, message)
    if (leaf === 'kept' || (value === '' && leaf !== 'id')) continue
    let next: unknown
    if (leaf === undefined) next = toldInside(shape as Fields | Listed, value, translator)
    else {
      const text = translator.tell(leaf, value as string)
      isForeign ||= text === undefined
      next = text ?? value
    }
    if (next === value) continue
    copy ??= { ...message }
    copy[field] = next
  }
  return copy === undefined && !isForeign ? undefined : { message: copy ?? message, isForeign }
}

function toldInside(shape: Fields | Listed, value: unknown, translator: Translator): unknown {
  const fields = isListed(shape) ? (shape as Listed).listed : shape
  if (!Array.isArray(value)) return isObject(value) ? (told(fields, value, translator)?.message ?? value) : value
  let changed = false
  const all: unknown[] = []
  for (const each of value as Message[]) {
    const result = told(fields, each, translator)
    if (result !== undefined) changed = true
    if (result?.isForeign && isListed(shape)) continue
    all.push(result?.message ?? each)
  }
  return changed ? all : value
}
