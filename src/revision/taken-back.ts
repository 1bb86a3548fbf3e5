// Which batches of a stretch of a log were taken back by their transactions. Everything in it is decided.

import * as batch from '../../protocol/records/batch.ts'
import type { AbortedTransaction } from '../log/open-transactions.ts'

type Range = { readonly firstOffset: number; readonly lastOffset: number }

export class TakenBack {
  readonly #byProducer = new Map<number, Range[]>()

  /** Of offsets in `[from, to)`. */
  constructor(
    log: { abortedTransactions(from: number, to: number): readonly AbortedTransaction[] },
    from: number,
    to: number,
  ) {
    for (const { producerId, firstOffset, lastOffset } of log.abortedTransactions(from, to)) {
      const known = this.#byProducer.get(producerId)
      if (known === undefined) this.#byProducer.set(producerId, [{ firstOffset, lastOffset }])
      else known.push({ firstOffset, lastOffset })
    }
  }

  has(bytes: Buffer, position: number): boolean {
    if (this.#byProducer.size === 0 || !batch.isTransactional(bytes, position)) return false
    const offset = batch.baseOffset(bytes, position)
    const ranges = this.#byProducer.get(batch.producerId(bytes, position))
    return ranges?.some(({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset) ?? false
  }
}
