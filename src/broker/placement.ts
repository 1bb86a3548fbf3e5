// Which nodes the cluster has, which of them run, where clients reach them, and what lies where. All nodes are this one
// process: what differs is who may be asked for what.

import { type Leadership, ledBy, newLeadership } from './leadership.ts'

/** An address that clients are told. */
export type Endpoint = { nodeId: number; host: string; port: number }

/** The topics that coordinators keep their state in, and the option that says how many copies there are; 3 where it is silent. */
export const coordinatorTopics = {
  group: { name: '__consumer_offsets', replicationFactor: 'offsets.topic.replication.factor' },
  transaction: { name: '__transaction_state', replicationFactor: 'transaction.state.log.replication.factor' },
  share: { name: '__share_group_state', replicationFactor: 'share.coordinator.state.topic.replication.factor' },
} as const
export type CoordinatorKind = keyof typeof coordinatorTopics
export const coordinatorKinds = Object.keys(coordinatorTopics) as CoordinatorKind[]

export class Placement {
  /** Every node, whether or not it runs. Ascending. */
  readonly ids: readonly number[]
  readonly #stopped = new Set<number>()
  /** By listener, then by node. */
  readonly #endpoints = new Map<string, Map<number, Endpoint>>()
  /** What every partition of a single broker has. */
  readonly #alone: Leadership

  constructor(firstId: number, count: number) {
    this.ids = Array.from({ length: count }, (_, i) => firstId + i)
    this.#alone = ledBy(firstId)
  }

  get isCluster(): boolean {
    return this.ids.length > 1
  }

  // Nodes.

  has(node: number): boolean {
    return this.ids.includes(node)
  }

  readonly isRunning = (node: number): boolean => this.has(node) && !this.#stopped.has(node)

  get running(): number[] {
    return this.ids.filter(this.isRunning)
  }

  stopped(node: number): void {
    this.#stopped.add(node)
  }

  started(node: number): void {
    this.#stopped.delete(node)
  }

  /** The nodes that run, as clients of a listener are told; the same from every node. */
  nodes(listener: string): Endpoint[] {
    return this.running.map((node) => this.endpoint(listener, node))
  }

  /** The address of a node for the clients of a listener; asked for the stopped ones too. */
  endpoint(listener: string, nodeId: number): Endpoint {
    return this.#endpoints.get(listener)?.get(nodeId) ?? { nodeId, host: '127.0.0.1', port: 0 }
  }

  setEndpoint(listener: string, { nodeId, host, port }: Endpoint): void {
    const known = this.#endpoints.get(listener) ?? new Map<number, Endpoint>()
    this.#endpoints.set(listener, known.set(nodeId, { nodeId, host, port }))
  }

  /** Brokers pass on what is the controller's work (KRaft), so this is only a name to begin with. */
  controller(): number {
    return this.running[0] ?? this.ids[0]!
  }

  // Partitions.

  /**
   * Replicas of new partitions, as Kafka deals them: leaders in turn, followers behind their leader. `start` says whose
   * turn it is; nodes that do not run are dealt to last.
   */
  spread(start: number, count: number, replicationFactor: number): number[][] {
    const { running } = this
    const stopped = this.ids.filter((node) => !running.includes(node))
    return Array.from({ length: count }, (_, partition) => {
      const turn = (start + partition) % Math.max(1, running.length)
      return [...running.slice(turn), ...running.slice(0, turn), ...stopped].slice(0, replicationFactor)
    })
  }

  /** Who has a new partition. */
  newLeadership(replicas: readonly number[]): Leadership {
    return newLeadership(replicas, this.isRunning)
  }

  /** Who answers for a key: the leader of the partition that remembers it, or will once there is one. */
  coordinator(key: string, leaders: readonly number[] | undefined, partitionCount: number): number {
    const partition = partitionOfKey(key, leaders?.length ?? partitionCount)
    return leaders === undefined ? this.spread(partition, 1, 1)[0]![0]! : leaders[partition]!
  }

  /** Who has a partition of which nobody has noted anything. */
  get default(): Leadership {
    return this.#alone
  }

  /**
   * Who has a partition of the past, where it may have been another cluster: nodes that are not here have lost their
   * replicas, and where nobody led or the leader is gone another one leads.
   */
  resumed(was: Pick<Leadership, 'replicas' | 'leader' | 'epoch'>, turn: number): Leadership {
    const known = was.replicas.filter((node) => this.has(node))
    const replicas = known.length > 0 ? known : this.spread(turn, 1, 1)[0]!
    const leads = replicas.includes(was.leader)
    return {
      replicas,
      isr: replicas,
      eligible: [],
      leader: leads ? was.leader : replicas[0]!,
      epoch: leads ? was.epoch : was.epoch + 1,
    }
  }
}

/** Java's String.hashCode, over UTF-16 code units. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (31 * hash + text.charCodeAt(i)) | 0
  return hash
}

/**
 * The partition of an internal topic that remembers a key: a group of `__consumer_offsets`, a transactional id of
 * `__transaction_state`. The real broker takes the absolute value of the hash (seen in 4.3.1: 'sfghij', hash -905244011,
 * lies in partition 11 of 50), not its lower 31 bits; tools that look for a group compute the same. Integer.MIN_VALUE has
 * no absolute value and counts as 0.
 */
export function partitionOfKey(key: string, partitionCount: number): number {
  const hash = javaHash(key)
  return hash === -0x8000_0000 ? 0 : Math.abs(hash) % partitionCount
}
