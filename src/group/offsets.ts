// The offsets that one group has committed. A value, replaced whole: what a reader holds does not change under it.
// Committed offsets are logical: whatever the client commits is given back, with its leader epoch.

export type Committed = {
  readonly offset: number
  /** -1: the client named none. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitAt: number
  /** A moment of its own, asked for by OffsetCommit v2-v4; null: the group's rules decide. */
  readonly expireAt: number | null
  /** The topic that was meant; null in records written before Kafka 4.1. */
  readonly topicId: string | null
}

export type TopicPartition = { readonly topic: string; readonly partition: number }
export type CommittedAt = TopicPartition & { readonly committed: Committed }

export class Offsets {
  /** Invariant: no topic maps to an empty map. */
  readonly #topics = new Map<string, Map<number, Committed>>()
  /** KIP-98, KIP-447: commits of open transactions, by producer id. They count once their marker has come. */
  readonly #pending = new Map<number, CommittedAt[]>()

  get isEmpty(): boolean {
    return this.#topics.size === 0 && this.#pending.size === 0
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  get(topic: string, partition: number): Committed | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, committed: Committed): void {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      this.#topics.set(topic, partitions)
    }
    partitions.set(partition, committed)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (partitions?.delete(partition) && partitions.size === 0) this.#topics.delete(topic)
  }

  *all(): Generator<CommittedAt, void, undefined> {
    for (const [topic, partitions] of this.#topics)
      for (const [partition, committed] of partitions) yield { topic, partition, committed }
  }

  *of(topic: string): Generator<CommittedAt, void, undefined> {
    for (const [partition, committed] of this.#topics.get(topic) ?? []) yield { topic, partition, committed }
  }

  /** Keeps a commit that a transaction may still take back. */
  stage(producerId: number, commits: readonly CommittedAt[]): void {
    this.#pending.set(producerId, [...(this.#pending.get(producerId) ?? []), ...commits])
  }

  /** The marker of a transaction has come: its commits count from here on, or never did. */
  settle(producerId: number, outcome: 'commit' | 'abort'): void {
    const commits = this.#pending.get(producerId) ?? []
    this.#pending.delete(producerId)
    if (outcome === 'commit')
      for (const { topic, partition, committed } of commits) this.set(topic, partition, committed)
  }

  /** Whether an open transaction has a commit here: OffsetFetch with requireStable waits for it (KIP-447). */
  isUnstable(topic: string, partition: number): boolean {
    for (const commits of this.#pending.values())
      if (commits.some((of) => of.topic === topic && of.partition === partition)) return true
    return false
  }
}
