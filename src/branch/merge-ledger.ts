// Merges, resolutions and reverts as they were made: what a revert goes by, and a start. Those whose targets are all gone are
// left out, and of the others what is forgotten (mentions.ts): of ten thousand none carries the name of a branch that is no more.

import type { MergedPartition, MergedTopic, MergeRecord } from './merge-records.ts'
import { without } from './vector.ts'

/** Into one topic. */
type Merges = {
  /** Their ids, oldest first. */
  readonly ids: string[]
  /** By branch: the first merge that told of it. Those behind it do, too. */
  readonly since: Map<string, number>
}

export class MergeLedger {
  readonly #merges = new Map<string, MergeRecord>()
  /** By topic id. */
  readonly #into = new Map<string, Merges>()

  /** By id. */
  get all(): ReadonlyMap<string, MergeRecord> {
    return this.#merges
  }

  add(record: MergeRecord): void {
    this.#merges.set(record.id, record)
    for (const { intoId, partitions } of record.topics) {
      const { ids, since } = this.#into.get(intoId) ?? { ids: [], since: new Map<string, number>() }
      this.#into.set(intoId, { ids, since })
      if (ids.at(-1) !== record.id) ids.push(record.id)
      for (const { known } of partitions) {
        for (const branch of Object.keys(known)) if (!since.has(branch)) since.set(branch, ids.length - 1)
      }
    }
  }

  /** What was told to a topic of a branch. */
  forget(topicId: string, branch: string): void {
    const { ids, since } = this.#into.get(topicId) ?? {}
    const from = since?.get(branch)
    if (from === undefined) return
    since!.delete(branch)
    for (const id of ids!.slice(from)) {
      const merge = this.#merges.get(id)!
      const topics = merge.topics.map((topic) => (topic.intoId === topicId ? forgotten(topic, branch) : topic))
      this.#merges.set(id, { ...merge, topics })
    }
  }

  /** A target is gone. */
  removed(topicId: string): void {
    for (const id of this.#into.get(topicId)?.ids ?? []) {
      const merge = this.#merges.get(id)!
      const topics = merge.topics.filter(({ intoId }) => intoId !== topicId)
      if (topics.length === 0) this.#merges.delete(id)
      else this.#merges.set(id, { ...merge, topics })
    }
    this.#into.delete(topicId)
  }
}

function forgotten(topic: MergedTopic, branch: string): MergedTopic {
  const partitions = topic.partitions.map((one): MergedPartition => ({ ...one, known: without(one.known, branch) }))
  return { ...topic, partitions }
}
