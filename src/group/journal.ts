// Between groups and their log: one append at a time per partition, and what waits meanwhile goes in one batch.
// Memory changes in the order of the log, after the bytes: a refused append leaves everything as it was.

import type { OffsetsLog, OffsetsRecord } from './offsets-log.ts'

type Work = {
  /** Asked when nothing earlier is on its way, so an `alone` work sees everything that was written before it. */
  readonly records: () => readonly OffsetsRecord[]
  /** In the place of an append of the records. */
  readonly append?: () => Promise<void>
  readonly applied: () => void
  readonly refused: (error: unknown) => void
  readonly alone: boolean
  /** Its records are known already, and hold as long as nothing happens in between. */
  readonly atOnce: boolean
}

/** What to do about a request, as of what is in the log: nothing in memory has changed for it yet. */
export type Decision<T> = {
  readonly records: readonly OffsetsRecord[]
  /** Runs when the records are in the log. */
  readonly apply: () => void
  readonly answer: T
}

/** Batches stay far below what a partition accepts; one work is never cut. */
const batchRecordsMax = 1_000

export class Journal {
  readonly #log: Pick<OffsetsLog, 'append'>
  /** Invariant: a partition has a queue exactly while its pump runs. */
  readonly #queues = new Map<number, Work[]>()

  constructor(log: Pick<OffsetsLog, 'append'>) {
    this.#log = log
  }

  /** Appends the records, then applies. Resolves after both; rejects, nothing applied, when the log refuses. */
  write(partition: number, records: readonly OffsetsRecord[], apply: () => void): Promise<void> {
    return this.#enqueue(partition, () => records, apply, false)
  }

  /** As write, but the records are made when all that was asked for earlier is in the log and applied. */
  writeAlone(partition: number, records: () => readonly OffsetsRecord[], apply: () => void): Promise<void> {
    return this.#enqueue(partition, records, apply, true)
  }

  /**
   * Decides when everything asked for earlier is in the log and applied, so that each decision builds on the one before.
   * Rejects, nothing applied, when the log refuses. A decision without records costs no turn of the event loop.
   */
  async decide<T>(partition: number, decide: () => Decision<T>): Promise<T> {
    let decision: Decision<T> | undefined
    if (!this.#queues.has(partition)) {
      decision = decide()
      if (decision.records.length === 0) {
        decision.apply()
        return decision.answer
      }
    }
    const records = () => {
      decision ??= decide()
      return decision.records
    }
    await this.#enqueue(partition, records, () => decision!.apply(), true, decision !== undefined)
    return decision!.answer
  }

  /** As write, with an append of its own when its turn has come: records of transactions, and their markers. */
  writeBy(partition: number, append: () => Promise<void>, apply: () => void): Promise<void> {
    return this.#enqueue(partition, () => [], apply, true, true, append)
  }

  #enqueue(
    partition: number,
    records: Work['records'],
    apply: () => void,
    alone: boolean,
    atOnce = false,
    append?: () => Promise<void>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const applied = () => {
        apply()
        resolve()
      }
      const own = append === undefined ? {} : { append }
      const work = { records, applied, refused: reject, alone, atOnce, ...own }
      const queue = this.#queues.get(partition)
      if (queue !== undefined) queue.push(work)
      else void this.#pump(partition, [work])
    })
  }

  async #pump(partition: number, queue: Work[]): Promise<void> {
    this.#queues.set(partition, queue)
    if (!queue[0]!.atOnce) await undefined // What is asked for in the same turn shares the batch.
    while (queue.length > 0) await this.#append(partition, takeBatch(queue))
    this.#queues.delete(partition)
  }

  async #append(partition: number, batch: readonly Work[]): Promise<void> {
    try {
      const records = batch.flatMap((work) => work.records())
      if (batch[0]?.append !== undefined) await batch[0].append()
      else if (records.length > 0) await this.#log.append(partition, records)
    } catch (error) {
      for (const work of batch) work.refused(error)
      return
    }
    for (const work of batch) settle(work)
  }
}

/** A failed application is the fault of that work alone. */
function settle(work: Work): void {
  try {
    work.applied()
  } catch (error) {
    work.refused(error)
  }
}

/** As many works as may share an append, taken from the front of the queue. */
function takeBatch(queue: Work[]): Work[] {
  if (queue[0]!.alone) return queue.splice(0, 1)
  let count = 0
  let recordCount = 0
  for (const work of queue) {
    if (work.alone || (count > 0 && recordCount + work.records().length > batchRecordsMax)) break
    recordCount += work.records().length
    count++
  }
  return queue.splice(0, count)
}
