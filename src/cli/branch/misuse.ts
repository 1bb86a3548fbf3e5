// What the verbs of `twiglog branch` (and, of keys, those of `twiglog rev`) share: words that make no sense, where a topic is cut, which branch is meant.

import { fromBase64 } from '../../../protocol/base64.ts'
import { Misuse } from '../misuse.ts'

type Values = Readonly<Record<string, unknown>>

export class BranchMisuse extends Misuse {}

/** Short for what `branch.at` takes. */
export function pointOf(text: string): string {
  if (/^\d+$/.test(text)) return `offset:${text}`
  if (/^\d+=\d+(,\d+=\d+)*$/.test(text)) return `offsets:${text}`
  if (/^\d{4}-\d\d-\d\d/.test(text)) return `timestamp:${text}`
  return text
}

/** A branch by its name, or --set. */
export function which(values: Values, branch: string | undefined): { branch: string } | { set: string } {
  const set = values['set'] as string | undefined
  if ((branch === undefined) === (set === undefined)) throw new BranchMisuse('name a branch, or a set with --set')
  return set === undefined ? { branch: branch! } : { set }
}

/** A key as it is typed, or as base64 where that is said. */
export function keyOf(values: Values, text: string): Buffer {
  if (values['keyBase64'] !== true) return Buffer.from(text)
  const key = fromBase64(text)
  // With letters too many it would be the key of another text, too.
  const letters = text.replaceAll('=', '').replaceAll('-', '+').replaceAll('_', '/')
  if (key?.toString('base64').replaceAll('=', '') === letters) return key
  throw new BranchMisuse(`the key '${text}' is no base64`)
}
