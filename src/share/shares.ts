// Share groups as handlers know them: sessions, and the share partitions that records are taken from and given back to.

import { type ErrorName, Refusal } from '../../protocol/errors.ts'
import type { PlantedShare } from '../branch/lineage.ts'
import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import { seenBy } from '../broker/set-view.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { refusalOf } from '../group/refusal.ts'
import type { ShareKeeper } from '../group/share-keeper.ts'
import { type AcknowledgeBatch, checkBatches } from './acknowledgement.ts'
import { DeadLetters } from './dead-letters.ts'
import { resetOffset } from './reading.ts'
import { type SessionPartition, type SessionRequest, ShareSessions } from './sessions.ts'
import { type ShareSettings, shareSettings } from './settings.ts'
import type { SharePartition } from './share-partition.ts'
import { ShareStates, type StateLog, snapshotOf } from './states.ts'

/** A partition that may be read, and how the group sees it. */
export type Shared = { readonly share: SharePartition; readonly partition: Partition }

export class Shares implements ShareKeeper {
  readonly states: ShareStates
  readonly sessions: ShareSessions
  readonly #broker: Broker

  constructor(broker: Broker, log: StateLog) {
    const { clock, config } = broker
    this.#broker = broker
    const deadLetters = new DeadLetters(broker)
    this.states = new ShareStates({
      clock,
      log,
      updatesMax: config.number('share.coordinator.snapshot.update.records.per.snapshot'),
      settings: (groupId) => this.settings(groupId),
      bury: (of, letters) => deadLetters.bury(of, letters),
    })
    this.sessions = new ShareSessions(config.number('group.share.max.share.sessions'), (member) => {
      void this.release(member)
    })
  }

  settings(groupId: string): ShareSettings {
    return shareSettings(this.#broker.groupConfigs.of(groupId))
  }

  // --- life

  /** Reads what the log remembers. What cannot be read is told to those who ask for it. */
  async load(): Promise<void> {
    await this.states.load()
  }

  stop(): void {
    this.states.stop()
  }

  reset(): void {
    this.states.reset()
    this.sessions.reset()
  }

  /** Never rejects: what the log will not forget is of no topic that anybody can ask for. */
  async onTopicDeleted(topicId: string): Promise<void> {
    const doomed = this.states.all.filter(({ of }) => of.topicId === topicId)
    await this.#all(doomed.map((share) => this.states.remove(share)))
  }

  // --- members

  /** Everything that a member has acquired from a node goes to others. Resolves when the log knows. */
  async release({ groupId, memberId, node }: SessionRequest): Promise<void> {
    const held = this.states.of(groupId).filter(({ of }) => !(this.partition(groupId, of, node) instanceof Refusal))
    await Promise.all(held.map((share) => share.release(memberId)))
  }

  /** The member is no longer in its group. */
  async onMemberGone(groupId: string, memberId: string): Promise<void> {
    this.sessions.drop(groupId, memberId)
    await Promise.all(this.states.of(groupId).map((share) => share.release(memberId)))
  }

  // --- partitions

  /** The partition, if this node leads it and the group may know of it. */
  partition(groupId: string, { topicId, partition: index }: SessionPartition, node: number): Partition | Refusal {
    const topic = seenBy(this.#broker, groupId).topicById(topicId)
    if (topic === undefined) return new Refusal('UNKNOWN_TOPIC_ID')
    const partition = topic.partitions[index]
    if (partition === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
    return partition.leader === node ? partition : new Refusal('NOT_LEADER_OR_FOLLOWER')
  }

  /** Whoever may be asked instead. */
  leaderOf({ topicId, partition }: SessionPartition): Partition | undefined {
    return this.#broker.topicById(topicId)?.partitions[partition]
  }

  /** Finds a share partition that knows where it begins. */
  shared({ groupId, node }: SessionRequest, of: SessionPartition): Shared | Refusal | Promise<Shared | Refusal> {
    const partition = this.partition(groupId, of, node)
    if (partition instanceof Refusal) return partition
    if (this.states.isUnreadable({ groupId, ...of })) return new Refusal('COORDINATOR_NOT_AVAILABLE')
    const share = this.states.find({ groupId, ...of })
    // The group coordinator makes it known when a member subscribes; the real broker has no better name either.
    if (share === undefined) return new Refusal('UNKNOWN_SERVER_ERROR')
    return share.inFlight === undefined ? this.#begin(share, partition) : { share, partition }
  }

  async #begin(share: SharePartition, partition: Partition): Promise<Shared | Refusal> {
    try {
      await share.begin(resetOffset(partition, this.settings(share.of.groupId), this.#broker.clock.now()))
    } catch (cause) {
      return storageRefusal(cause)
    }
    return { share, partition }
  }

  /** All of these batches, or none. NONE for a partition about which nothing was said. */
  async acknowledge(
    { groupId, memberId, node }: SessionRequest,
    of: SessionPartition,
    batches: readonly AcknowledgeBatch[],
    renews: boolean,
  ): Promise<Refusal | undefined> {
    const partition = this.partition(groupId, of, node)
    if (partition instanceof Refusal) return partition
    const invalid = checkBatches(batches, renews && this.settings(groupId).mayRenew)
    if (invalid !== undefined) return invalid
    const share = this.states.find({ groupId, ...of })
    if (share === undefined) return new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
    return await share.acknowledge(memberId, batches)
  }

  // --- what the group coordinator asks

  groups(): string[] {
    return this.states.groups
  }

  keeps(groupId: string, topicId: string, partition: number): boolean {
    return this.states.find({ groupId, topicId, partition }) !== undefined
  }

  isUnreadable(groupId: string, topicId: string, partition: number): boolean {
    return this.states.isUnreadable({ groupId, topicId, partition })
  }

  /** Remembers that a group reads these partitions. */
  async initialise(groupId: string, topicId: string, partitions: readonly number[]): Promise<ErrorName> {
    return this.#all(partitions.map((partition) => this.states.initialise({ groupId, topicId, partition })))
  }

  async alter(groupId: string, topicId: string, partition: number, startOffset: number): Promise<ErrorName> {
    return this.#all([this.states.alter({ groupId, topicId, partition }, startOffset)])
  }

  *ofTopic(topicId: string): Generator<PlantedShare> {
    for (const { of, known } of this.states.all) {
      if (of.topicId !== topicId || known.inFlight === undefined) continue
      const { startOffset, stateBatches } = snapshotOf(known, this.#broker.clock.now())
      const ranges = stateBatches.map(
        (of) => [of.firstOffset, of.lastOffset, of.deliveryState, of.deliveryCount] as const,
      )
      yield { group: of.groupId, topicId, partition: of.partition, startOffset, ranges }
    }
  }

  plant({ group: groupId, topicId, partition, startOffset, ranges }: PlantedShare): Promise<void> {
    const batches = ranges.map(([firstOffset, lastOffset, deliveryState, deliveryCount]) => {
      return { firstOffset, lastOffset, deliveryState, deliveryCount }
    })
    return this.states.plant({ groupId, topicId, partition }, startOffset, batches)
  }

  async forgetGone(): Promise<void> {
    const gone = this.states.all.filter(({ of }) => this.#broker.topicById(of.topicId) === undefined)
    await this.#all(gone.map((share) => this.states.remove(share)))
  }

  /** Forgets what a group has read, of one topic or of all. */
  async forget(groupId: string, topicId?: string): Promise<ErrorName> {
    const doomed = this.states.of(groupId).filter(({ of }) => topicId === undefined || of.topicId === topicId)
    return this.#all(doomed.map((share) => this.states.remove(share)))
  }

  async #all(changes: readonly Promise<void>[]): Promise<ErrorName> {
    try {
      await Promise.all(changes)
      return 'NONE'
    } catch (error) {
      return refusalOf(error)
    }
  }
}
