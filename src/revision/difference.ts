// The delta that readers are told between two values of a key, whatever base a pack stores (§2.2): one rule for views and for HTTP.

import { encodeDelta } from './encode-delta.ts'

/** Longer values are told full, where a topic does not say otherwise. */
export const diffMaxBytesDefault = 16 * 1024 * 1024

/** Undefined: the value is told full. One decoder of others breaks on an empty target, and an empty base has nothing to copy. */
export function differenceOf(before: Buffer | null | undefined, value: Buffer, bytesMax: number): Buffer | undefined {
  if (!before || before.length === 0 || value.length === 0) return undefined
  if (Math.max(value.length, before.length) > bytesMax) return undefined
  return encodeDelta(before, value, value.length - 1)
}
