// Forks as they were made, one for all topics of a cut, as long as something that came from it is there: a topic, or its set.

import type { ForkRecord } from './lineage-records.ts'

/** A cut, and how many of its topics are still there. */
type Cut = { readonly record: ForkRecord; topicsLeft: number }

export class Cuts {
  /** By event id. */
  readonly #cuts = new Map<string, Cut>()
  /** Event ids by the label of their set. */
  readonly #ofSets = new Map<string, Set<string>>()

  add(record: ForkRecord): void {
    const { id, set, topics } = record
    this.#cuts.set(id, { record, topicsLeft: topics.length })
    if (set !== undefined) this.#ofSets.set(set, (this.#ofSets.get(set) ?? new Set()).add(id))
  }

  topicRemoved(eventId: string): void {
    const cut = this.#cuts.get(eventId)
    if (cut === undefined) return
    cut.topicsLeft--
    this.#forget(eventId)
  }

  setRemoved(set: string): void {
    const eventIds = this.#ofSets.get(set) ?? []
    this.#ofSets.delete(set)
    for (const eventId of eventIds) this.#forget(eventId)
  }

  /** Unless something is there that came from it. */
  #forget(eventId: string): void {
    const cut = this.#cuts.get(eventId)
    const isNeeded = cut === undefined || cut.topicsLeft > 0 || this.#ofSets.get(cut.record.set ?? '')?.has(eventId)
    if (!isNeeded) this.#cuts.delete(eventId)
  }

  /** Those of which all topics are there, and others. */
  *[Symbol.iterator](): Generator<[record: ForkRecord, isWhole: boolean]> {
    for (const { record, topicsLeft } of this.#cuts.values()) yield [record, topicsLeft === record.topics.length]
  }
}
