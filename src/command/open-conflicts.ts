// Conflicts that parked merges have left open: in memory as the committed records of `__branch_conflicts` say, by the pair of
// topics that they stand between.

import { conflictKey, type OpenConflict, readConflict } from '../branch/conflict-records.ts'
import { conflictsTopic, jsonTopics } from '../branch/json-topics.ts'
import type { OwnProducer } from '../branch/merge-writer.ts'
import { keyText } from '../branch/reading.ts'
import type { Broker } from '../broker/broker.ts'
import { InternalTopic, type KeyedRecord } from '../broker/internal-topic.ts'
import type { Topic } from '../broker/topic.ts'
import type { Place } from '../transaction/markers.ts'

export class OpenConflicts {
  readonly #broker: Broker
  readonly #topic: InternalTopic
  /** By record key. */
  readonly #open = new Map<string, OpenConflict>()
  readonly place: Place = { topic: conflictsTopic, partition: 0 }

  constructor(broker: Broker) {
    this.#broker = broker
    this.#topic = new InternalTopic(broker, jsonTopics.find(({ name }) => name === conflictsTopic)!)
  }

  /** Reads what is open. Throws StorageError, Corruption. */
  load(): void {
    this.#open.clear()
    const pending = new Map<number, KeyedRecord[]>()
    this.#topic.replay(
      0,
      (key, value, _, producerId) => {
        const record = { key: Buffer.from(key), value: value && Buffer.from(value) }
        if (producerId === undefined) this.apply([record])
        else pending.set(producerId, [...(pending.get(producerId) ?? []), record])
      },
      (producerId, outcome) => {
        if (outcome === 'commit') this.apply(pending.get(producerId) ?? [])
        pending.delete(producerId)
      },
    )
  }

  reset(): void {
    this.#open.clear()
  }

  /** Makes the topic where there is none yet. */
  async prepare(): Promise<void> {
    if (!this.#topic.exists) await this.#broker.createTopics([jsonTopics.find(({ name }) => name === conflictsTopic)!])
  }

  /** As part of a transaction, if it is one. Rejects with StorageError. */
  append(records: readonly KeyedRecord[], producer?: OwnProducer): Promise<void> {
    return this.#topic.append(0, records, producer)
  }

  /** Takes committed records in. */
  apply(records: readonly KeyedRecord[]): void {
    for (const { key, value } of records) {
      const conflict = value === null ? undefined : readConflict(key, value)
      if (conflict === undefined) this.#open.delete(keyText(key))
      else this.#open.set(keyText(key), conflict)
    }
  }

  get all(): readonly OpenConflict[] {
    return [...this.#open.values()]
  }

  /** The open conflict that a resolution is about. */
  find(merge: string, target: Pick<Topic, 'id' | 'name'>, partition: number, key: Buffer): OpenConflict | undefined {
    const named = this.#open.get(keyText(conflictKey({ merge, topic: target.name, partition, key })))
    if (named?.intoId === target.id) return named
    // It may have had another name then.
    const isMeant = (one: OpenConflict) => one.merge === merge && one.partition === partition && one.key.equals(key)
    return this.all.find((one) => one.intoId === target.id && isMeant(one))
  }

  /** Between two topics, in either direction, in one partition. */
  between(one: string, other: string, partition: number): OpenConflict[] {
    return this.all.filter(
      ({ fromId, intoId, partition: at }) =>
        at === partition && ((fromId === one && intoId === other) || (fromId === other && intoId === one)),
    )
  }

  /** A topic is gone, and what stood open with it is closed. Rejects with StorageError. */
  async abandon(topicId: string): Promise<void> {
    const closed = this.all.filter(({ fromId, intoId }) => fromId === topicId || intoId === topicId)
    if (closed.length === 0) return
    const tombstones = closed.map((conflict) => ({ key: conflictKey(conflict), value: null }))
    await this.append(tombstones)
    this.apply(tombstones)
  }
}
