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
/** `order`: of the records in the log. Of two for one partition the later counts, whenever its transaction ends. */
type Ordered = { readonly committed: Committed; readonly order: number }
type Pending = CommittedAt & Ordered

export class Offsets {
  /** Invariant: no topic maps to an empty map. */
  readonly #topics = new Map<string, Map<number, Ordered>>()
  /** KIP-98, KIP-447: commits of open transactions, by producer id. They count once their marker has come. */
  readonly #pending = new Map<number, Pending[]>()
  #order = 0

  get isEmpty(): boolean {
    return this.#topics.size === 0 && this.#pending.size === 0
  }

  /** Whether an open transaction has committed something here. */
  get hasPending(): boolean {
    return this.#pending.size > 0
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  get(topic: string, partition: number): Committed | undefined {
    return this.#topics.get(topic)?.get(partition)?.committed
  }

  set(topic: string, partition: number, committed: Committed): void {
    this.#put(topic, partition, committed, ++this.#order)
  }

  #put(topic: string, partition: number, committed: Committed, order: number): void {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      this.#topics.set(topic, partitions)
    }
    partitions.set(partition, { committed, order })
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (partitions?.delete(partition) && partitions.size === 0) this.#topics.delete(topic)
    // A tombstone outlives whatever lies before it in the log, so nothing of that may come back.
    for (const producerId of this.#pending.keys())
      this.#keep(producerId, (of) => of.topic !== topic || of.partition !== partition)
  }

  #keep(producerId: number, isKept: (of: Pending) => boolean): void {
    const kept = this.#pending.get(producerId)!.filter(isKept)
    if (kept.length === 0) this.#pending.delete(producerId)
    else this.#pending.set(producerId, kept)
  }

  *all(): Generator<CommittedAt, void, undefined> {
    for (const [topic, partitions] of this.#topics)
      for (const [partition, { committed }] of partitions) yield { topic, partition, committed }
  }

  *of(topic: string): Generator<CommittedAt, void, undefined> {
    for (const [partition, { committed }] of this.#topics.get(topic) ?? []) yield { topic, partition, committed }
  }

  /** Where open transactions have commits. */
  *pending(): Generator<TopicPartition, void, undefined> {
    for (const commits of this.#pending.values()) yield* commits
  }

  /** Keeps a commit that a transaction may still take back. */
  stage(producerId: number, commits: readonly CommittedAt[]): void {
    const ordered = commits.map((of) => ({ ...of, order: ++this.#order }))
    this.#pending.set(producerId, [...(this.#pending.get(producerId) ?? []), ...ordered])
  }

  /** The marker of a transaction has come: its commits count from here on, or never did. */
  settle(producerId: number, outcome: 'commit' | 'abort'): void {
    const commits = this.#pending.get(producerId) ?? []
    this.#pending.delete(producerId)
    if (outcome === 'abort') return
    for (const { topic, partition, committed, order } of commits) {
      const known = this.#topics.get(topic)?.get(partition)
      if (known === undefined || known.order < order) this.#put(topic, partition, committed, order)
    }
  }

  /** Whether an open transaction has a commit here: OffsetFetch with requireStable waits for it (KIP-447). */
  isUnstable(topic: string, partition: number): boolean {
    for (const commits of this.#pending.values())
      if (commits.some((of) => of.topic === topic && of.partition === partition)) return true
    return false
  }
}
