// Where every group is found, whatever its type: by id, behind the gate of its partition, with the journal that its
// changes go through. The requests of each kind are files of their own (classic-requests, offset-requests, …).

import type { ErrorName } from '../../protocol/errors.ts'
import { insideOf } from '../branch/set-names.ts'
import type { Clock } from '../storage/clock.ts'
import type { Catalog } from './catalog.ts'
import { ClassicGroup } from './classic-group.ts'
import type { GroupConfig, GroupSettings } from './config.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { Circumstances } from './consumer-progress.ts'
import type { ConsumerState } from './consumer-state.ts'
import type { Group } from './group.ts'
import type { Decision } from './journal.ts'
import { Journal } from './journal.ts'
import { loadPartition } from './loading.ts'
import { Offsets } from './offsets.ts'
import type { OffsetsLog, OffsetsRecord } from './offsets-log.ts'
import { offsetsPartition } from './offsets-log.ts'
import { groupRecord } from './records.ts'
import { ShareGroup } from './share-group.ts'
import type { ShareRules } from './share-heartbeat.ts'
import type { ShareKeeper } from './share-keeper.ts'
import type { ShareState } from './share-state.ts'

export type Environment = {
  readonly clock: Clock
  readonly config: GroupConfig
  readonly log: OffsetsLog
  readonly topics: Catalog
  /** What counts for one group, asked for anew each time. */
  settings(groupId: string): GroupSettings
  /** The room above that remembers what share groups have done. */
  readonly shares?: ShareKeeper
}

/** A partition of the offsets topic: still being read, in use, or not readable. */
type Loaded = 'loading' | 'loaded' | 'failed'

export class Roster {
  readonly #environment: Environment
  readonly #journal: Journal
  readonly #groups = new Map<string, Group>()
  readonly #partitions: Loaded[]

  constructor(environment: Environment) {
    this.#environment = environment
    this.#journal = new Journal(environment.log)
    this.#partitions = new Array<Loaded>(environment.config['offsets.topic.num.partitions']).fill('loading')
  }

  get clock(): Clock {
    return this.#environment.clock
  }

  get config(): GroupConfig {
    return this.#environment.config
  }

  /** The topics that there are for a group. */
  catalogOf(groupId: string): Catalog {
    const { topics } = this.#environment
    const inside = insideOf(groupId)
    return inside === undefined ? topics : (topics.inside?.(inside.set) ?? topics)
  }

  // --- life

  /** Reads what the log remembers. Until then requests are told to wait. Rejects if a partition cannot be read. */
  async load(): Promise<void> {
    const failures: unknown[] = []
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      try {
        await this.#loadPartition(partition)
        this.#partitions[partition] = 'loaded'
      } catch (error) {
        this.#partitions[partition] = 'failed'
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'groups could not be read from the offsets topic')
  }

  async #loadPartition(partition: number): Promise<void> {
    for (const [id, { metadata, consumer, share, offsets }] of await loadPartition(this.#environment.log, partition)) {
      if (consumer.epoch > 0) {
        const group = this.newConsumer(id, consumer, offsets)
        group.adopt(consumer)
        this.#groups.set(id, group)
        continue
      }
      if (share.epoch > 0) {
        const group = this.newShare(id, share)
        group.adopt(share)
        this.#groups.set(id, group)
        continue
      }
      const group = this.newClassic(id, offsets)
      if (metadata !== null) group.restore(metadata)
      this.#groups.set(id, group)
    }
  }

  /**
   * Another node coordinates the groups of a partition from now on, and knows of them what the log says: whoever waits is
   * sent away, and what was not written is forgotten. Rejects if the partition cannot be read.
   */
  async handOver(partition: number): Promise<void> {
    this.#partitions[partition] = 'loading'
    const groups = this.all.filter(({ id }) => this.partitionOf(id) === partition)
    for (const group of groups) group.stop()
    // What is on its way, and what its answers set going, is in the log before it is read.
    for (let turn = 0; turn < 2; turn++)
      await this.#journal.writeAlone(
        partition,
        () => [],
        () => {},
      )
    for (const { id } of this.all) if (this.partitionOf(id) === partition) this.#groups.delete(id)
    try {
      await this.#loadPartition(partition)
      this.#partitions[partition] = 'loaded'
    } catch (error) {
      this.#partitions[partition] = 'failed'
      throw error
    }
  }

  get isLoading(): boolean {
    return this.#partitions.includes('loading')
  }

  /** Lets go of every timer and every parked request. */
  stop(): void {
    for (const group of this.#groups.values()) group.stop()
  }

  /** Forgets every group: the log that remembers them is about to be deleted. */
  reset(): void {
    this.stop()
    this.#groups.clear()
  }

  // --- the gate

  partitionOf(groupId: string): number {
    return offsetsPartition(groupId, this.#partitions.length)
  }

  /** Why nothing can be said about a group at the moment, or NONE. */
  gate(groupId: string): ErrorName {
    const state = this.#partitions[this.partitionOf(groupId)]
    if (state === 'loaded') return 'NONE'
    return state === 'loading' ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'COORDINATOR_NOT_AVAILABLE'
  }

  /** The same of all groups at once. */
  get gateOfAll(): ErrorName {
    if (this.#partitions.includes('failed')) return 'COORDINATOR_NOT_AVAILABLE'
    return this.isLoading ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NONE'
  }

  /** For requests of members: simple consumers may call their group '', members may not. */
  memberGate(groupId: string): ErrorName {
    return groupId === '' ? 'INVALID_GROUP_ID' : this.gate(groupId)
  }

  // --- finding a group

  get all(): readonly Group[] {
    return [...this.#groups.values()]
  }

  find(id: string): Group | undefined {
    return this.#groups.get(id)
  }

  /** Takes the place of a group of that id, if there is one. */
  put(group: Group): void {
    this.#groups.set(group.id, group)
  }

  remove(id: string): void {
    this.#groups.delete(id)
  }

  /** Who commits offsets without being a member has a classic group that was always empty. */
  findOrMake(id: string): Group {
    const found = this.#groups.get(id)
    if (found !== undefined) return found
    const group = this.newClassic(id)
    this.#groups.set(id, group)
    return group
  }

  newClassic(id: string, offsets: Offsets = new Offsets()): ClassicGroup {
    const { clock, config } = this
    return new ClassicGroup(
      id,
      {
        clock,
        initialDelayMs: config['group.initial.rebalance.delay.ms'],
        membersMax: config['group.max.size'],
        store: (metadata, apply) => this.write(id, [groupRecord(id, metadata)], apply),
        called: this.#calledBy(id),
      },
      offsets,
    )
  }

  newConsumer(id: string, memory?: ConsumerState, offsets?: Offsets): ConsumerGroup {
    const sessionTimeoutMs = () => this.#environment.settings(id).number('consumer.session.timeout.ms')
    const expired = (memberId: string) => this.onConsumerExpired(id, memberId)
    const called = this.#calledBy(id)
    return new ConsumerGroup(id, { clock: this.clock, sessionTimeoutMs, expired, called }, memory, offsets)
  }

  #calledBy(groupId: string): (stored: string) => string {
    const catalog = this.catalogOf(groupId)
    return (stored) => catalog.called?.(stored) ?? stored
  }

  /** Set by the requests of consumers: what is to be done when a member's time is up. */
  onConsumerExpired: (groupId: string, memberId: string) => void = () => {}

  newShare(id: string, memory?: ShareState): ShareGroup {
    const sessionTimeoutMs = () => this.#environment.settings(id).number('share.session.timeout.ms')
    const expired = (memberId: string) => this.onShareExpired(id, memberId)
    return new ShareGroup(id, { clock: this.clock, sessionTimeoutMs, expired }, memory)
  }

  /** Set by the requests of share groups: what is to be done when a member's time is up. */
  onShareExpired: (groupId: string, memberId: string) => void = () => {}

  shareRules(groupId: string): ShareRules {
    const settings = this.#environment.settings(groupId)
    return {
      membersMax: this.config['group.share.max.size'],
      heartbeatIntervalMs: settings.number('share.heartbeat.interval.ms'),
      assignmentIntervalMs: settings.number('share.assignment.interval.ms'),
    }
  }

  /** What a decision about a group is made with. */
  circumstances(groupId: string): Circumstances {
    const { config } = this
    const settings = this.#environment.settings(groupId)
    const rules = {
      membersMax: config['group.consumer.max.size'],
      sessionTimeoutMs: settings.number('consumer.session.timeout.ms'),
      heartbeatIntervalMs: settings.number('consumer.heartbeat.interval.ms'),
      assignmentIntervalMs: settings.number('consumer.assignment.interval.ms'),
      assignors: config['group.consumer.assignors'],
    }
    return { now: this.clock.now(), catalog: this.catalogOf(groupId), rules }
  }

  // --- the journal, by group

  write(groupId: string, records: readonly OffsetsRecord[], apply: () => void): Promise<void> {
    return this.#journal.write(this.partitionOf(groupId), records, apply)
  }

  writeAlone(groupId: string, records: () => readonly OffsetsRecord[], apply: () => void): Promise<void> {
    return this.#journal.writeAlone(this.partitionOf(groupId), records, apply)
  }

  /** As write, with an append of its own: for a group, or for all groups of a partition of the offsets topic. */
  writeBy(partition: number, append: (log: OffsetsLog) => Promise<void>, apply: () => void): Promise<void> {
    return this.#journal.writeBy(partition, () => append(this.#environment.log), apply)
  }

  /** The way of groups whose every change is a record: see Journal.decide. */
  decide<T>(groupId: string, decide: () => Decision<T>): Promise<T> {
    return this.#journal.decide(this.partitionOf(groupId), decide)
  }
}
