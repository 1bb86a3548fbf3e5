// The coordinator of all groups whose partition of the offsets topic lies here. Handlers know groups by this face alone:
// requests by their kind (classic, offsets, …), and here what is asked of groups of every type: list, delete, age.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Timer } from '../storage/clock.ts'
import { ClassicRequests } from './classic-requests.ts'
import { ConsumerRequests } from './consumer-requests.ts'
import { expiredOffsets, outlives } from './expiry.ts'
import type { Group, GroupType } from './group.ts'
import { OffsetRequests } from './offset-requests.ts'
import type { TopicPartition } from './offsets.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import { offsetTombstone } from './records.ts'
import { refusalOf } from './refusal.ts'
import type { Environment } from './roster.ts'
import { Roster } from './roster.ts'
import { noShareKeeper } from './share-keeper.ts'
import { ShareRequests } from './share-requests.ts'
import { TransactionalOffsets } from './transactional-offsets.ts'

export type Listed = {
  readonly groupId: string
  readonly protocolType: string
  readonly state: string
  readonly type: GroupType
}

export class Groups {
  readonly classic: ClassicRequests
  readonly consumer: ConsumerRequests
  readonly share: ShareRequests
  readonly offsets: OffsetRequests
  readonly transactions: TransactionalOffsets
  readonly #roster: Roster
  #expiryTimer: Timer | undefined

  constructor(environment: Environment) {
    this.#roster = new Roster(environment)
    this.classic = new ClassicRequests(this.#roster)
    this.consumer = new ConsumerRequests(this.#roster)
    this.share = new ShareRequests(this.#roster, environment.shares ?? noShareKeeper)
    this.offsets = new OffsetRequests(this.#roster)
    this.transactions = new TransactionalOffsets(this.#roster)
  }

  // --- life

  /** Reads what the log remembers. Until then requests are told to wait. Rejects if a partition cannot be read. */
  async load(): Promise<void> {
    try {
      await this.#roster.load()
    } finally {
      await this.share.forgetOrphans()
      this.#scheduleExpiry()
    }
  }

  /** Lets go of every timer and every parked request. */
  stop(): void {
    this.#expiryTimer?.cancel()
    this.#roster.stop()
  }

  /** The groups of a partition go to another node of the cluster. Rejects if the log cannot be read. */
  handOver(partition: number): Promise<void> {
    return this.#roster.handOver(partition)
  }

  /** Forgets every group: the log that remembers them is about to be deleted. */
  reset(): void {
    this.#roster.reset()
  }

  /** Of the offsets topic. */
  partitionOf(groupId: string): number {
    return this.#roster.partitionOf(groupId)
  }

  // --- groups as others see them

  /** Of the partitions that are read so far; `loading` if there are others. */
  list(): { readonly loading: boolean; readonly groups: readonly Listed[] } {
    const groups = this.#roster.all.map(({ id, protocolType, state, type }) => ({
      groupId: id,
      protocolType,
      state,
      type,
    }))
    return { loading: this.#roster.isLoading, groups }
  }

  /** Whether there is a group of this name, of any type. */
  isKnown(groupId: string): boolean {
    return this.#roster.find(groupId) !== undefined
  }

  async delete(groupId: string): Promise<ErrorName> {
    const closed = this.#roster.gate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#roster.find(groupId)
    if (group === undefined || group.state === 'Dead') return 'GROUP_ID_NOT_FOUND'
    if (!group.isEmpty) return 'NON_EMPTY_GROUP'
    try {
      // What open transactions have committed goes too, as in Kafka: their end finds nobody to commit for.
      const pick = () => [...group.offsets.all(), ...group.offsets.pending()]
      if (!(await this.#remove(group, pick, () => !group.isEmpty))) return 'NON_EMPTY_GROUP'
      return group.type === 'share' ? await this.share.forget(groupId) : 'NONE'
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** A life is over, and its groups with it: members, offsets and all. What a disk does not forget is swept by the next start. */
  async end(isOver: (groupId: string) => boolean): Promise<void> {
    const doomed = this.#roster.all.filter(({ id }) => isOver(id))
    const end = async (group: Group) => {
      group.stop()
      const records = () => (this.#roster.find(group.id) === group ? tombstonesOf(group, [...group.offsets.all()]) : [])
      await this.#roster.writeAlone(group.id, records, () => this.#roster.remove(group.id))
      if (group.type === 'share') await this.share.forget(group.id)
    }
    await Promise.all(doomed.map((group) => end(group).catch(refusalOf)))
  }

  /** Removes an empty group with the offsets that `pick` names, unless it `stays` when its turn comes. */
  async #remove(
    group: Group,
    pick: () => readonly TopicPartition[],
    stays = (doomed: readonly TopicPartition[]) => outlives(group, doomed),
  ): Promise<boolean> {
    let dying = false
    const records = (): OffsetsRecord[] => {
      const doomed = pick()
      if (this.#roster.find(group.id) !== group || stays(doomed)) return []
      dying = true
      const tombstones = tombstonesOf(group, doomed)
      group.die()
      return tombstones
    }
    const apply = () => {
      if (dying) this.#roster.remove(group.id)
    }
    try {
      await this.#roster.writeAlone(group.id, records, apply)
    } catch (error) {
      if (dying) group.revive()
      throw error
    }
    return dying
  }

  // --- ageing

  #scheduleExpiry(): void {
    const waitMs = this.#roster.config['offsets.retention.check.interval.ms']
    this.#expiryTimer = this.#roster.clock.after(waitMs, () => {
      this.expireOffsets().catch(refusalOf)
      this.#scheduleExpiry()
    })
  }

  /** Removes offsets that are too old, and empty groups without any. Rejects when the log refuses; nothing is lost. */
  async expireOffsets(): Promise<void> {
    const retentionMs = this.#roster.config['offsets.retention.minutes'] * 60_000
    const pick = (group: Group) => () => expiredOffsets(group, this.#roster.clock.now(), retentionMs)
    for (const group of this.#roster.all) {
      // It has no offsets, and stays for what it has done.
      if (group.type === 'share') continue
      const expired = pick(group)()
      if (!outlives(group, expired)) await this.#remove(group, pick(group))
      else if (expired.length > 0) await this.offsets.forget(group, pick(group))
    }
  }
}

const tombstonesOf = (group: Group, offsets: readonly TopicPartition[]): OffsetsRecord[] => [
  ...offsets.map(({ topic, partition }) => offsetTombstone(group.id, topic, partition)),
  ...group.tombstones(),
]
