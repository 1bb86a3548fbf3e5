// The delta that readers are told between two values of a key, whatever base a pack stores (§2.2): one rule for views and for HTTP.

import type { Walk } from '../log/walk.ts'
import { encodeDelta, encodeInSlices } from './encode-delta.ts'

/** Longer values are told full, where a topic does not say otherwise. */
export const diffMaxBytesDefault = 16 * 1024 * 1024

/** Of both values: where nothing is alike a delta of more holds everybody up for ten milliseconds and longer. */
const atOnceBytesMax = 512 * 1024

type Value = Buffer | null | undefined

/** One decoder of others breaks on an empty target, and an empty base has nothing to copy. */
const isToldFull = (before: Value, value: Value, bytesMax: number): boolean =>
  !before || !value || before.length === 0 || value.length === 0 || Math.max(value.length, before.length) > bytesMax

/** Whether it is to be made in slices. */
export const takesLong = (before: Value, value: Value, bytesMax: number): boolean =>
  !isToldFull(before, value, bytesMax) && before!.length + value!.length > atOnceBytesMax

/** Undefined: the value is told full. */
export const differenceOf = (before: Value, value: Value, bytesMax: number): Buffer | undefined =>
  isToldFull(before, value, bytesMax) ? undefined : encodeDelta(before!, value!, value!.length - 1)

export function* differenceInSlices(before: Value, value: Value, bytesMax: number): Walk<Buffer | undefined> {
  return isToldFull(before, value, bytesMax) ? undefined : yield* encodeInSlices(before!, value!, value!.length - 1)
}
