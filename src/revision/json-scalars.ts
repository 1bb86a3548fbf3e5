// Scalars inside JSON values: where a pointer leads (RFC 6901), and one number for what lies there, the same for 1, 1.0 and 1e0.

import { hashKey } from './key-hash.ts'

export type Scalar = string | number | boolean | null

/** Texts of at most so many bytes are hashed without new memory. */
const scratch = Buffer.allocUnsafe(4096)

/** The names that a pointer consists of; undefined where it is none. `''` is the whole value. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === '') return []
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined
  return text
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/**
 * A pointer as it is written: as it is, or as a URI fragment (RFC 6901 §6), in which a name may have commas and equals signs, which
 * mean something where pointers are listed and asked for: `#/a%3Db`. Undefined where it is none.
 */
export function plainPointer(text: string): string | undefined {
  try {
    const plain = text.startsWith('#') ? decodeURIComponent(text.slice(1)) : text
    return parsePointer(plain) === undefined ? undefined : plain
  } catch {
    return undefined
  }
}

/** What lies where the names lead; undefined where nothing does, or what does is no scalar. */
export function scalarAt(json: unknown, names: readonly string[]): Scalar | undefined {
  let here = json
  for (const name of names) {
    if (typeof here !== 'object' || here === null) return undefined
    if (Array.isArray(here)) {
      if (!/^(0|[1-9]\d*)$/.test(name)) return undefined
      here = here[Number(name)]
    } else {
      if (!Object.hasOwn(here, name)) return undefined
      here = (here as Record<string, unknown>)[name]
    }
  }
  return typeof here === 'object' && here !== null ? undefined : (here as Scalar | undefined)
}

/** A scalar as the index knows it. Two that a reader of JSON in JavaScript takes for equal have one text. */
export function canonicalScalar(scalar: Scalar): string {
  // 1e999: JSON has no word for it, and says null.
  if (typeof scalar === 'number' && !Number.isFinite(scalar)) return String(scalar)
  return JSON.stringify(scalar === 0 ? 0 : scalar)
}

/** 53 bits of the canonical text: who finds them looks at the value. */
export function scalarHash(scalar: Scalar): number {
  const text = canonicalScalar(scalar)
  if (text.length * 3 > scratch.length) {
    const bytes = Buffer.from(text)
    return hashKey(bytes, 0, bytes.length)
  }
  return hashKey(scratch, 0, scratch.write(text))
}

/** `/status=paid`: the right side is JSON if it parses to a scalar, else text. Undefined where the left side is no pointer. */
export function parseWhere(text: string): { pointer: string; scalar: Scalar } | undefined {
  const at = text.indexOf('=')
  const pointer = at < 0 ? undefined : plainPointer(text.slice(0, at))
  if (pointer === undefined) return undefined
  return { pointer, scalar: scalarOf(text.slice(at + 1)) }
}

function scalarOf(text: string): Scalar {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? text : (json as Scalar)
  } catch {
    return text
  }
}

/** The value as JSON; undefined where it is none (no JSON text says undefined). */
export function parseJson(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
}
