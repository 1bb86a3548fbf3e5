// How an outcome reaches the partitions of a transaction: a marker in each, written as often as it takes.

import type { Partitions, TransactionState } from './state.ts'

export type Marker = {
  readonly type: 'COMMIT' | 'ABORT'
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly transactionVersion: number
}

export type Place = { readonly topic: string; readonly partition: number }

/** Writes a marker into a partition; false where that is not possible now. A partition that is gone needs none. */
export type Mark = (topic: string, partition: number, marker: Marker) => Promise<boolean>

/** One broker coordinates for ever, so no later coordinator can fence it. */
const coordinatorEpoch = 0

/** Of a transaction that is decided. */
export const markerOf = (state: TransactionState): Marker => ({
  type: state.status === 'PrepareCommit' ? 'COMMIT' : 'ABORT',
  producerId: state.producerId,
  producerEpoch: state.producerEpoch,
  coordinatorEpoch,
  transactionVersion: state.clientVersion,
})

export const placesOf = (partitions: Partitions): Place[] =>
  [...partitions].flatMap(([topic, indexes]) => [...indexes].map((partition) => ({ topic, partition })))

/** Marks every place; answers those that did not take it. */
export async function unmarked(places: readonly Place[], marker: Marker, mark: Mark): Promise<Place[]> {
  const marked = await Promise.all(places.map((place) => attempt(place, marker, mark)))
  return places.filter((_, i) => !marked[i])
}

async function attempt({ topic, partition }: Place, marker: Marker, mark: Mark): Promise<boolean> {
  try {
    return await mark(topic, partition, marker)
  } catch (cause) {
    // Whatever it is, the decision stands, and the other partitions must hear of it.
    console.error(`No marker for ${topic}-${partition}:`, cause)
    return false
  }
}
