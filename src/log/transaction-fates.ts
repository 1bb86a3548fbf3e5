// How the transactions end whose records compaction meets, batch by batch from the first: records that were taken back go,
// and a marker may go once nothing of its transaction stands in front of it (KIP-98).

import * as batch from '../../protocol/records/batch.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import { markerOf } from './producer-state.ts'

export class TransactionFates {
  /** Taken back, and not begun yet, the next one last. */
  readonly #ahead: AbortedTransaction[]
  /** Begun and taken back, by producer; whether anything of it was met. */
  readonly #takenBack = new Map<number, boolean>()
  /** Producers with records in front of a marker that commits them. */
  readonly #committed = new Set<number>()

  /** `aborted`: those that touch what will be walked. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** The next batch is one with records: whether its transaction was taken back. */
  isTakenBack(bytes: Buffer, position: number): boolean {
    this.#reach(batch.lastOffset(bytes, position))
    if (!batch.isTransactional(bytes, position)) return false
    const producerId = batch.producerId(bytes, position)
    if (!this.#takenBack.has(producerId)) {
      this.#committed.add(producerId)
      return false
    }
    this.#takenBack.set(producerId, true)
    return true
  }

  /** The next batch is a marker: whether nothing of its transaction is left. */
  endsNothing(bytes: Buffer, position: number): boolean {
    this.#reach(batch.lastOffset(bytes, position))
    const producerId = batch.producerId(bytes, position)
    const marker = markerOf(bytes, position)
    if (marker === undefined) return batch.recordCount(bytes, position) === 0
    if (marker.type === 'COMMIT') return !this.#committed.delete(producerId)
    const hasSome = this.#takenBack.get(producerId) ?? false
    this.#takenBack.delete(producerId)
    return !hasSome
  }

  #reach(offset: number): void {
    while (this.#ahead.length > 0 && this.#ahead.at(-1)!.firstOffset <= offset) {
      this.#takenBack.set(this.#ahead.pop()!.producerId, false)
    }
  }
}
