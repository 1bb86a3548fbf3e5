// What a view shows of the topic that it is of.

import type { Scalar } from './json-scalars.ts'

export const viewKinds = ['state', 'history', 'diff', 'list'] as const
export type ViewKind = (typeof viewKinds)[number]

/** `view.where`: documents with this scalar at this place, which the source indexes. */
export type ViewWhere = { readonly pointer: string; readonly scalar: Scalar }

export type ViewConfig = {
  /** The topic whose records it shows, by name: what a reset or a promotion puts behind the name is shown from then on. */
  readonly of: string
  readonly kind: ViewKind
  /** Shows records of a partition below this offset; without end where it moves with its source. */
  readonly below: (partition: number) => number
  /** Only this key. Both this and `where` must hold where both are given. */
  readonly key: Buffer | undefined
  readonly where: ViewWhere | undefined
  /** -1: it stays until it is deleted. */
  readonly ttlMs: number
}
