// Who has which partition, through the life of the cluster: dealt out when a topic is made, changed when nodes come and go
// or somebody says so. The metadata log is told first, and the partitions after it.

import { type Leadership, movedTo, reassigned, withNode, withoutNode } from './leadership.ts'
import type { MetadataLog, MetadataRecord, Seat } from './metadata-log.ts'
import type { Partition } from './partition.ts'
import type { Placement } from './placement.ts'
import type { Topic } from './topic.ts'

/** A partition that others have from now on. */
export type Change = { topic: Topic; partition: Partition; next: Leadership }

/** Who has a branch from its first own record on. */
export type ForkedSeat = {
  readonly id: string
  readonly replicationFactor: number
  readonly partitions: readonly {
    readonly partition: number
    readonly epoch: number
    readonly replicas: readonly number[] | undefined
  }[]
}

export class Leaderships {
  readonly #metadata: MetadataLog
  readonly #placement: Placement
  readonly #topics: () => Iterable<Topic>
  readonly #listeners: ((changes: readonly Change[]) => Promise<unknown>)[] = []
  /** The last change: each is planned when the one before it is true. */
  #turn: Promise<void> = Promise.resolve()

  constructor(metadata: MetadataLog, placement: Placement, topics: () => Iterable<Topic>) {
    this.#metadata = metadata
    this.#placement = placement
    this.#topics = topics
  }

  /**
   * What has to be noted at a start: partitions of a broker that was alone are dealt out where there are several nodes now,
   * and nodes that are not there any more lose theirs. Nothing where a broker is alone and always was.
   */
  resume(): MetadataRecord[] {
    const { topics, leaderships } = this.#metadata.state
    if (!this.#placement.isCluster && leaderships.size === 0) return []
    return [...topics.values()].flatMap(({ id, partitions }, start) => {
      const noted = leaderships.get(id)
      // Led from the beginning by the broker that is alone now as it was then.
      if (!this.#placement.isCluster && noted === undefined) return []
      const seats = Array.from({ length: partitions }, (_, partition) => {
        const was = noted?.get(partition) ?? { replicas: [], leader: this.#placement.default.leader, epoch: 0 }
        return { partition, ...seatOf(this.#placement.resumed(was, start + partition)) }
      }).filter((seat) => !isNoted(noted?.get(seat.partition), seat))
      return seats.length === 0 ? [] : [{ v: 1, type: 'leadership', id, partitions: seats } as const]
    })
  }

  /** Who has a partition that is about to be. */
  of(topicId: string, partition: number): Leadership {
    const seat = this.#metadata.state.leaderships.get(topicId)?.get(partition)
    if (seat === undefined) return this.#placement.default
    const isr = seat.replicas.filter(this.#placement.isRunning)
    return { ...seat, isr, eligible: [] }
  }

  /** The record of new partitions, from number `first` on; none where a broker is alone. */
  dealt(id: string, first: number, replicas: readonly (readonly number[])[]): MetadataRecord[] {
    if (!this.#placement.isCluster) return []
    const partitions = replicas.map((nodes, i) => ({
      partition: first + i,
      ...seatOf(this.#placement.newLeadership(nodes)),
    }))
    return [{ v: 1, type: 'leadership', id, partitions }]
  }

  /** The record of a branch: its epochs go on above its parent's, whether or not anybody else has ever led. */
  forked({ id, partitions, replicationFactor }: ForkedSeat, turn: number): MetadataRecord {
    const dealt = this.#placement.spread(turn, partitions.length, replicationFactor)
    const seats = partitions.map(({ partition, epoch, replicas }, i) => {
      return { partition, ...seatOf(this.#placement.newLeadership(replicas ?? dealt[i]!)), epoch }
    })
    return { v: 1, type: 'leadership', id, partitions: seats }
  }

  /**
   * The record of partitions that begin a new epoch above all that clients have heard under one name, and what makes it
   * so once the record is on stable storage.
   */
  renewed(topic: Topic, above: Topic | undefined): { record: MetadataRecord; lead: () => void } {
    const next = topic.partitions.map((partition) => {
      const other = above?.partitions[partition.index]?.leaderEpoch ?? 0
      return { ...partition.leadership, epoch: Math.max(partition.leaderEpoch, other) + 1 }
    })
    const partitions = next.map((leadership, partition) => ({ partition, ...seatOf(leadership) }))
    const lead = () => topic.partitions.forEach((partition, i) => void partition.lead(next[i]!))
    return { record: { v: 1, type: 'leadership', id: topic.id, partitions }, lead }
  }

  /** Calls `listener` after partitions have got another leader, or none, and waits for it. It never rejects. */
  onMoved(listener: (changes: readonly Change[]) => Promise<unknown>): void {
    this.#listeners.push(listener)
  }

  /** Another leader for a partition; a node without a replica takes the place of the leader before. */
  move(topic: Topic, partition: Partition, node: number): Promise<void> {
    return this.#change(() => [
      { topic, partition, next: movedTo(partition.leadership, node, this.#placement.isRunning) },
    ])
  }

  /** Other replicas for partitions; the leader changes where it is none of them. */
  reassign(wanted: readonly { topic: Topic; partition: Partition; replicas: readonly number[] }[]): Promise<void> {
    return this.#change(() =>
      wanted.map(({ topic, partition, replicas }) => {
        return { topic, partition, next: reassigned(partition.leadership, replicas, this.#placement.isRunning) }
      }),
    )
  }

  /** Node `node` has stopped; its partitions get other leaders where there are any. */
  without(node: number): Promise<void> {
    return this.#change(() =>
      this.#everywhere((partition) => withoutNode(partition.leadership, node, partition.minInsyncReplicas)),
    )
  }

  /** Node `node` runs again. */
  with(node: number): Promise<void> {
    const { isRunning } = this.#placement
    return this.#change(() => this.#everywhere(({ leadership }) => withNode(leadership, node, isRunning)))
  }

  #everywhere(next: (partition: Partition) => Leadership): Change[] {
    return [...this.#topics()].flatMap((topic) =>
      topic.partitions.map((partition) => ({ topic, partition, next: next(partition) })),
    )
  }

  /** Resolves when it is durable and true. Rejects with StorageError, and then nothing has changed. */
  #change(plan: () => Change[]): Promise<void> {
    const made = this.#turn.then(async () => {
      const changes = plan().filter(({ partition, next }) => partition.leadership !== next && !partition.isRemoved)
      const noted = changes.filter(({ partition, next }) => !isNoted(partition.leadership, seatOf(next)))
      if (noted.length > 0) await this.#metadata.commit(records(noted))
      const moved = changes.filter(({ partition, next }) => partition.leaderEpoch !== next.epoch)
      // Only now: batches of an epoch that the metadata log does not know would confuse the next start.
      for (const { partition, next } of changes) partition.lead(next)
      await Promise.all(this.#listeners.map((listener) => listener(moved)))
    })
    this.#turn = made.catch(() => {})
    return made
  }
}

const seatOf = ({ replicas, leader, epoch }: Leadership): Seat => ({ replicas, leader, epoch })

const isNoted = (noted: Seat | undefined, { replicas, leader, epoch }: Seat): boolean =>
  noted !== undefined &&
  noted.leader === leader &&
  noted.epoch === epoch &&
  noted.replicas.length === replicas.length &&
  noted.replicas.every((node, i) => node === replicas[i])

/** One record for each topic. */
function records(changes: readonly Change[]): MetadataRecord[] {
  const byTopic = new Map<string, (Seat & { partition: number })[]>()
  for (const { topic, partition, next } of changes) {
    const partitions = byTopic.get(topic.id) ?? []
    partitions.push({ partition: partition.index, ...seatOf(next) })
    byTopic.set(topic.id, partitions)
  }
  return [...byTopic].map(([id, partitions]) => ({ v: 1, type: 'leadership', id, partitions }))
}
