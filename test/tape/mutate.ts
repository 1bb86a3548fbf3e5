// Requests of a tape, altered one field at a time: what no client sends on purpose, and a broker has to answer all the
// same. The choice is drawn from a seed.

import { zeroUuid } from '../../protocol/schema.ts'
import type { Ask } from './frame.ts'

type Path = readonly (string | number)[]
export type Mutant = { ask: Ask; what: string }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Buffer.isBuffer(value)

/** Every place in a message; lists and structs too. */
function* places(value: unknown, path: Path = []): Generator<[Path, unknown]> {
  if (path.length > 0) yield [path, value]
  if (Array.isArray(value)) for (const [i, element] of value.entries()) yield* places(element, [...path, i])
  else if (isObject(value)) for (const [name, inner] of Object.entries(value)) yield* places(inner, [...path, name])
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by
  if (Array.isArray(value)) return value.map((element, i) => (i === first ? replaced(element, rest, by) : element))
  const struct = value as Record<string, unknown>
  return { ...struct, [first]: replaced(struct[first as string], rest, by) }
}

/** A broker that makes topics when they are asked for must not be asked for ones that nobody made. */
const makesTopics: ReadonlySet<string> = new Set(['Produce', 'Metadata'])

/** What may stand in the place of a value, and a word for it. */
function others(value: unknown, name: string, api: string): readonly (readonly [by: unknown, word: string])[] {
  // How long a change may take says nothing here: ours are made at once.
  if (name === 'timeoutMs' || value === null) return []
  if (/Ms$/.test(name) && typeof value === 'number') return said([-1, 0])
  if (typeof value === 'number') return said([value + 1, value - 1, -1, 0, -2, 127])
  if (typeof value === 'boolean') return said([!value])
  if (Buffer.isBuffer(value)) {
    const half = value.subarray(0, value.length >> 1)
    return [
      [Buffer.alloc(0), 'no bytes'],
      [half, 'half of it'],
      [flipped(value), 'one bit else'],
    ]
  }
  if (Array.isArray(value)) {
    return [
      [[], 'no partitions'],
      [value.slice(1), 'one less'],
      [[...value, ...value.slice(0, 1)], 'one twice'],
    ]
  }
  if (typeof value !== 'string') return []
  if (value.length === 22 && /[iI]d$/.test(name)) return said([zeroUuid, 'twiglogtwiglogtwiglogg'])
  return said(makesTopics.has(api) ? ['', 'not/allowed'] : ['', 'nobody', `${value}x`, 'not/allowed', 'é'.repeat(150)])
}

const said = (values: readonly unknown[]): readonly (readonly [unknown, string])[] =>
  values.map((value) => [value, String(JSON.stringify(value)).slice(0, 40)])

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) copy[copy.length >> 1]! ^= 0x10
  return copy
}

/** `count` altered requests; each API and version has its turn. `random`: numbers from 0 to 1. */
export function* mutants(asks: readonly Ask[], count: number, random: () => number): Generator<Mutant> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const kinds = new Map<string, Ask[]>()
  for (const ask of asks) {
    const kind = `${ask.table.name} ${ask.version}`
    kinds.set(kind, [...(kinds.get(kind) ?? []), ask])
  }
  const groups = [...kinds.values()]
  for (let made = 0, tries = 0; made < count && tries < 20 * count; tries++) {
    const ask = pick(groups[tries % groups.length]!)
    const found = [...places(ask.body)]
    if (found.length === 0) continue
    const [path, value] = pick(found)
    const name = String(path.findLast((part) => typeof part === 'string'))
    const choices = others(value, name, ask.table.name)
    if (choices.length === 0) continue
    const [by, word] = pick(choices)
    made++
    const body = replaced(ask.body, path, by) as Record<string, unknown>
    yield { ask: { ...ask, body }, what: `${path.filter((part) => typeof part === 'string').join('.')}: ${word}` }
  }
}
