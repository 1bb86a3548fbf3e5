// Three versions of a JSON object become one, member by member (`fields=json`): what only one side has changed is taken from
// it, what both have changed alike stays. Arrays and scalars are of one piece.

import { type JsonMember, type JsonNode, type JsonObject, parseJsonObject, printJson, sameness } from './json-text.ts'

/** Who is right where both have changed a member; undefined: nobody, the target's stays. */
export type Preferred = 'source' | 'target' | undefined

export type JsonMerge = {
  readonly value: Buffer
  /** JSON Pointers (RFC 6901) of the members that both sides have changed differently. */
  readonly paths: readonly string[]
}

/** Undefined where not all three are JSON objects. */
export function mergeJson(
  base: Buffer | null,
  source: Buffer | null,
  target: Buffer | null,
  preferred: Preferred,
): JsonMerge | undefined {
  const versions = [base, source, target].map(parseJsonObject)
  const [was, theirs, ours] = versions
  if (was === undefined || theirs === undefined || ours === undefined) return undefined
  const merging = new Merging(preferred)
  const merged = merging.objects(was, theirs, ours, '')
  return { value: Buffer.from(printJson(merged)), paths: merging.paths }
}

const empty: JsonObject = { kind: 'object', members: [] }
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
const isSame = (one: JsonNode | undefined, other: JsonNode | undefined): boolean =>
  one === other || (one !== undefined && other !== undefined && sameness(one) === sameness(other))

class Merging {
  readonly paths: string[] = []
  readonly #preferred: Preferred

  constructor(preferred: Preferred) {
    this.#preferred = preferred
  }

  /** Members in the order of the target, then those that are new. */
  objects(base: JsonObject, source: JsonObject, target: JsonObject, path: string): JsonObject {
    const was = byName(base)
    const theirs = byName(source)
    const ours = byName(target)
    const order = new Map([...target.members, ...source.members].map((member) => [member.name, member.nameText]))
    for (const { name, nameText } of target.members) order.set(name, nameText)
    const members: JsonMember[] = []
    for (const [name, nameText] of order) {
      const node = this.#member(was.get(name), theirs.get(name), ours.get(name), `${path}/${escaped(name)}`)
      if (node !== undefined) members.push({ name, nameText, node })
    }
    return { kind: 'object', members }
  }

  /** Undefined: there is none in the end. */
  #member(
    base: JsonNode | undefined,
    source: JsonNode | undefined,
    target: JsonNode | undefined,
    path: string,
  ): JsonNode | undefined {
    if (isSame(source, target) || isSame(source, base)) return target
    if (isSame(target, base)) return source
    if (source?.kind === 'object' && target?.kind === 'object' && (base === undefined || base.kind === 'object')) {
      return this.objects(base ?? empty, source, target, path)
    }
    this.paths.push(path)
    return this.#preferred === 'source' ? source : target
  }
}

const byName = ({ members }: JsonObject): Map<string, JsonNode> =>
  new Map(members.map(({ name, node }) => [name, node]))
