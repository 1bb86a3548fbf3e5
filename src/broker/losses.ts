// What power cuts have taken of the records that branches share with their parents: found when a partition is opened, made
// a fact of the metadata log, and told to whoever writes the history.

import type { LostRecord } from '../branch/lineage.ts'
import type { Lost } from '../log/inherited.ts'
import type { Clock } from '../storage/clock.ts'
import type { MetadataLog } from './metadata-log.ts'

export class Losses {
  readonly #metadata: MetadataLog
  readonly #clock: Clock
  readonly #listeners: ((record: LostRecord) => void)[] = []

  constructor(metadata: MetadataLog, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  /** Calls `listener` when a loss has become a fact. */
  onLost(listener: (record: LostRecord) => void): void {
    this.#listeners.push(listener)
  }

  /** Whoever opens the partition finds it again each time; it is noted once. */
  found(topicId: string, name: string, partition: number, { from, to }: Lost): void {
    const id = `lost-${topicId}-${partition}-${from}`
    const { lineage } = this.#metadata.state
    if (lineage.losses.has(id)) return
    const at = this.#clock.now()
    console.error(
      `A power cut took offsets ${from} to ${to - 1} of partition ${partition} of '${name}' from its parent.`,
    )
    const record: LostRecord = { v: 1, type: 'lost', id, at, by: '', topicId, name, partition, from, to }
    this.#note(record).catch((cause: unknown) => console.error(`The metadata log failed: ${String(cause)}`))
  }

  async #note(record: LostRecord): Promise<void> {
    await this.#metadata.commit([record])
    for (const listener of this.#listeners) listener(record)
  }
}
