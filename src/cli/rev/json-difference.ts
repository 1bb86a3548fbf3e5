// What differs between two JSON documents, place by place (RFC 6901), each piece as it was written: 1.0 stays 1.0.

import { type JsonNode, type JsonObject, parseJsonObject, printJson, sameness } from '../../branch/json-text.ts'

export type JsonChange = {
  readonly path: string
  /** As JSON text; absent where it was not there before. */
  readonly from?: string
  /** Absent where it is gone. */
  readonly to?: string
}

/** Undefined where one of them is no JSON object. */
export function jsonDifference(from: Buffer | null, to: Buffer | null): JsonChange[] | undefined {
  const [before, after] = [parseJsonObject(from), parseJsonObject(to)]
  return before === undefined || after === undefined ? undefined : [...ofObjects('', before, after)]
}

const inside = (path: string, name: string): string => `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`

function* ofObjects(path: string, before: JsonObject, after: JsonObject): Generator<JsonChange> {
  const old = new Map(before.members.map(({ name, node }) => [name, node]))
  const names = new Set(after.members.map(({ name }) => name))
  for (const { name, node } of before.members) {
    if (!names.has(name)) yield { path: inside(path, name), from: printJson(node) }
  }
  for (const { name, node } of after.members) {
    const was = old.get(name)
    if (was === undefined) yield { path: inside(path, name), to: printJson(node) }
    else yield* ofNodes(inside(path, name), was, node)
  }
}

function* ofNodes(path: string, before: JsonNode, after: JsonNode): Generator<JsonChange> {
  if (before.kind === 'object' && after.kind === 'object') yield* ofObjects(path, before, after)
  else if (sameness(before) !== sameness(after)) yield { path, from: printJson(before), to: printJson(after) }
}
