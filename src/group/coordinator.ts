// The coordinator of all groups whose partition of the offsets topic lies here: finds the group, asks it, and sees to
// it that what it answers is in the log first. Handlers know groups by this face alone.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Clock, Timer } from '../storage/clock.ts'
import type { HeartbeatRequest, JoinRequest, Leaver, SyncRequest } from './classic-group.ts'
import { ClassicGroup } from './classic-group.ts'
import type { GroupConfig } from './config.ts'
import { expiredOffsets, outlives } from './expiry.ts'
import type { Committer, Described, Group, GroupType } from './group.ts'
import { Journal } from './journal.ts'
import { loadPartition } from './loading.ts'
import type { JoinAnswer, SyncAnswer } from './member.ts'
import { joinRefused, syncRefused } from './member.ts'
import type { Committed, TopicPartition } from './offsets.ts'
import { Offsets } from './offsets.ts'
import type { OffsetsLog, OffsetsRecord } from './offsets-log.ts'
import { offsetsPartition } from './offsets-log.ts'
import { groupRecord, groupTombstone, offsetRecord, offsetTombstone } from './records.ts'
import { refusalOf } from './refusal.ts'

export type Environment = { readonly clock: Clock; readonly config: GroupConfig; readonly log: OffsetsLog }

export type Commit = TopicPartition & {
  readonly topicId: string | null
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

export type CommitRequest = Committer & {
  readonly groupId: string
  /** Of OffsetCommit v2-v4; null: the broker's retention. */
  readonly retentionMs: number | null
  readonly commits: readonly Commit[]
}

export type FetchRequest = {
  readonly groupId: string
  /** Null: everything the group has committed. */
  readonly wanted: readonly (TopicPartition & { readonly topicId: string | null })[] | null
  /** KIP-447: no answer for offsets that an open transaction is about to change. */
  readonly requireStable: boolean
}

export type Fetched = TopicPartition & {
  readonly error: ErrorName
  /** Undefined: nothing was committed. */
  readonly committed: Committed | undefined
}

export type Listed = {
  readonly groupId: string
  readonly protocolType: string
  readonly state: string
  readonly type: GroupType
}

/** A partition of the offsets topic: still being read, in use, or not readable. */
type Loaded = 'loading' | 'loaded' | 'failed'

export class Groups {
  readonly #environment: Environment
  readonly #journal: Journal
  readonly #groups = new Map<string, Group>()
  readonly #partitions: Loaded[]
  #expiryTimer: Timer | undefined

  constructor(environment: Environment) {
    this.#environment = environment
    this.#journal = new Journal(environment.log)
    this.#partitions = new Array<Loaded>(environment.config['offsets.topic.num.partitions']).fill('loading')
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
    this.#scheduleExpiry()
    if (failures.length > 0) throw new AggregateError(failures, 'groups could not be read from the offsets topic')
  }

  async #loadPartition(partition: number): Promise<void> {
    for (const [id, { metadata, offsets }] of await loadPartition(this.#environment.log, partition)) {
      const group = this.#classic(id, offsets)
      if (metadata !== null) group.restore(metadata)
      this.#groups.set(id, group)
    }
  }

  /** Lets go of every timer and every parked request. */
  stop(): void {
    this.#expiryTimer?.cancel()
    for (const group of this.#groups.values()) group.stop()
  }

  /** Forgets every group: the log that remembers them is about to be deleted. */
  reset(): void {
    for (const group of this.#groups.values()) group.stop()
    this.#groups.clear()
  }

  // --- finding a group

  partitionOf(groupId: string): number {
    return offsetsPartition(groupId, this.#partitions.length)
  }

  /** Why nothing can be said about a group at the moment, or NONE. */
  #gate(groupId: string): ErrorName {
    const state = this.#partitions[this.partitionOf(groupId)]
    if (state === 'loaded') return 'NONE'
    return state === 'loading' ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'COORDINATOR_NOT_AVAILABLE'
  }

  /** For requests of members: simple consumers may call their group '', members may not. */
  #memberGate(groupId: string): ErrorName {
    return groupId === '' ? 'INVALID_GROUP_ID' : this.#gate(groupId)
  }

  #classic(id: string, offsets: Offsets = new Offsets()): ClassicGroup {
    const { clock, config } = this.#environment
    return new ClassicGroup(
      id,
      {
        clock,
        initialDelayMs: config['group.initial.rebalance.delay.ms'],
        membersMax: config['group.max.size'],
        store: (metadata, apply) => this.#journal.write(this.partitionOf(id), [groupRecord(id, metadata)], apply),
      },
      offsets,
    )
  }

  #findOrMake(id: string): Group {
    let group = this.#groups.get(id)
    if (group === undefined) {
      group = this.#classic(id)
      this.#groups.set(id, group)
    }
    return group
  }

  /** The group, if the requests of classic members are for it. */
  #findClassic(id: string): ClassicGroup | undefined {
    const group = this.#groups.get(id)
    return group instanceof ClassicGroup ? group : undefined
  }

  // --- members

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { groupId, memberId, sessionTimeoutMs } = request
    if (groupId === '') return joinRefused('INVALID_GROUP_ID', memberId)
    const { config } = this.#environment
    if (
      sessionTimeoutMs < config['group.min.session.timeout.ms'] ||
      sessionTimeoutMs > config['group.max.session.timeout.ms']
    )
      return joinRefused('INVALID_SESSION_TIMEOUT', memberId)
    const closed = this.#gate(groupId)
    if (closed !== 'NONE') return joinRefused(closed, memberId)
    if (memberId !== '' && !this.#groups.has(groupId)) return joinRefused('UNKNOWN_MEMBER_ID', memberId)
    const group = this.#findOrMake(groupId)
    if (!(group instanceof ClassicGroup)) return joinRefused('INCONSISTENT_GROUP_PROTOCOL', memberId)
    const answer = group.join(request)
    if (group.isBlank) this.#groups.delete(groupId)
    return answer
  }

  async sync(request: SyncRequest): Promise<SyncAnswer> {
    const closed = this.#memberGate(request.groupId)
    if (closed !== 'NONE') return syncRefused(closed)
    return this.#findClassic(request.groupId)?.sync(request) ?? syncRefused('UNKNOWN_MEMBER_ID')
  }

  heartbeat(request: HeartbeatRequest): ErrorName {
    const closed = this.#memberGate(request.groupId)
    if (closed !== 'NONE') return closed
    return this.#findClassic(request.groupId)?.heartbeat(request) ?? 'UNKNOWN_MEMBER_ID'
  }

  /** One error for the request, or one for each member. */
  leave(groupId: string, leavers: readonly Leaver[]): ErrorName | ErrorName[] {
    const closed = this.#memberGate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#findClassic(groupId)
    if (group?.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    return group?.leave(leavers) ?? leavers.map(() => 'UNKNOWN_MEMBER_ID')
  }

  // --- offsets

  /** One answer for each commit; the good ones are in the log by then. */
  async commit(request: CommitRequest): Promise<ErrorName[]> {
    const refusal = this.#refuseCommit(request)
    if (refusal !== 'NONE') return request.commits.map(() => refusal)
    const metadataMax = this.#environment.config['offset.metadata.max.bytes']
    const answers = request.commits.map(
      ({ metadata }): ErrorName => (metadata.length > metadataMax ? 'OFFSET_METADATA_TOO_LARGE' : 'NONE'),
    )
    const good = request.commits.filter((_, i) => answers[i] === 'NONE')
    const outcome = await this.#write(request.groupId, good.map(this.#committed(request)))
    return answers.map((answer) => (answer === 'NONE' ? outcome : answer))
  }

  #refuseCommit(request: CommitRequest): ErrorName {
    const closed = this.#gate(request.groupId)
    if (closed !== 'NONE') return closed
    const group = this.#groups.get(request.groupId)
    if (group !== undefined) return group.admitCommit(request)
    // Without a generation it comes from somebody outside group management, who needs no group before.
    return request.generation < 0 ? 'NONE' : 'GROUP_ID_NOT_FOUND'
  }

  #committed({ retentionMs }: CommitRequest) {
    const commitAt = this.#environment.clock.now()
    const expireAt = retentionMs === null ? null : commitAt + retentionMs
    return ({ topic, partition, topicId, offset, leaderEpoch, metadata }: Commit) => ({
      topic,
      partition,
      committed: { offset, leaderEpoch, metadata, commitAt, expireAt, topicId },
    })
  }

  async #write(groupId: string, all: readonly (TopicPartition & { committed: Committed })[]): Promise<ErrorName> {
    if (all.length === 0) return 'NONE'
    const records = all.map((of) => offsetRecord(groupId, of.topic, of.partition, of.committed))
    const apply = () => {
      // Looked up only now: the group may have been removed while the records were on their way.
      const { offsets } = this.#findOrMake(groupId)
      for (const { topic, partition, committed } of all) offsets.set(topic, partition, committed)
    }
    try {
      await this.#journal.write(this.partitionOf(groupId), records, apply)
      return 'NONE'
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** A group that was never heard of has committed nothing: that is no error. */
  fetch({ groupId, wanted, requireStable }: FetchRequest): ErrorName | Fetched[] {
    const closed = this.#gate(groupId)
    if (closed !== 'NONE') return closed
    const offsets = this.#groups.get(groupId)?.offsets ?? new Offsets()
    const asked = wanted ?? [...offsets.all()].map(({ topic, partition }) => ({ topic, partition, topicId: null }))
    return asked.map(({ topic, partition, topicId }): Fetched => {
      if (requireStable && offsets.isUnstable(topic, partition))
        return { topic, partition, error: 'UNSTABLE_OFFSET_COMMIT', committed: undefined }
      const committed = offsets.get(topic, partition)
      return { topic, partition, error: 'NONE', committed: isOfTopic(committed, topicId) ? committed : undefined }
    })
  }

  /** One error for the request, or one for each offset (KIP-496). */
  async deleteOffsets(groupId: string, doomed: readonly TopicPartition[]): Promise<ErrorName | ErrorName[]> {
    const closed = this.#memberGate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#groups.get(groupId)
    const refusal = group?.admitOffsetDelete() ?? 'GROUP_ID_NOT_FOUND'
    if (refusal !== 'NONE') return refusal
    const answers = doomed.map(
      ({ topic }): ErrorName => (group!.isSubscribed(topic) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'),
    )
    const free = doomed.filter((_, i) => answers[i] === 'NONE')
    try {
      await this.#forget(group!, () => free)
      return answers
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** Removes offsets that are picked when everything asked for earlier has been applied. */
  #forget(group: Group, pick: () => readonly TopicPartition[]): Promise<void> {
    let doomed: readonly TopicPartition[] = []
    const records = () => {
      doomed = pick()
      return doomed.map(({ topic, partition }) => offsetTombstone(group.id, topic, partition))
    }
    const apply = () => {
      for (const { topic, partition } of doomed) group.offsets.delete(topic, partition)
    }
    return this.#journal.writeAlone(this.partitionOf(group.id), records, apply)
  }

  /** Offsets of a topic that is gone mean nothing in the next one of that name. Never rejects. */
  async onTopicDeleted(topic: string, topicId: string): Promise<void> {
    const groups = [...this.#groups.values()].filter((group) => group.offsets.topics.includes(topic))
    const pick = (group: Group) => () =>
      [...group.offsets.of(topic)].filter(({ committed }) => isOfTopic(committed, topicId))
    // What the disk will not forget is told apart by its topic id, and expires.
    await Promise.all(groups.map((group) => this.#forget(group, pick(group)).catch(refusalOf)))
  }

  // --- groups as others see them

  /** Of the partitions that are read so far; `loading` if there are others. */
  list(): { readonly loading: boolean; readonly groups: readonly Listed[] } {
    const groups = [...this.#groups.values()].map(({ id, protocolType, state, type }) => ({
      groupId: id,
      protocolType,
      state,
      type,
    }))
    return { loading: this.#partitions.includes('loading'), groups }
  }

  /** GROUP_ID_NOT_FOUND for a group that is not, or is no classic one. */
  describe(groupId: string): ErrorName | Described {
    const closed = this.#gate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#findClassic(groupId)
    return group === undefined || group.state === 'Dead' ? 'GROUP_ID_NOT_FOUND' : group.describe()
  }

  async delete(groupId: string): Promise<ErrorName> {
    const closed = this.#gate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#groups.get(groupId)
    if (group === undefined || group.state === 'Dead') return 'GROUP_ID_NOT_FOUND'
    if (!group.isEmpty) return 'NON_EMPTY_GROUP'
    try {
      return (await this.#remove(group, () => [...group.offsets.all()])) ? 'NONE' : 'NON_EMPTY_GROUP'
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** Removes an empty group with all its offsets, if `pick` still names them all when its turn comes. */
  async #remove(group: Group, pick: () => readonly TopicPartition[]): Promise<boolean> {
    let dying = false
    const records = (): OffsetsRecord[] => {
      const doomed = pick()
      if (this.#groups.get(group.id) !== group || outlives(group, doomed)) return []
      dying = true
      group.die()
      const tombstones = doomed.map(({ topic, partition }) => offsetTombstone(group.id, topic, partition))
      return [...tombstones, groupTombstone(group.id)]
    }
    const apply = () => {
      if (dying) this.#groups.delete(group.id)
    }
    try {
      await this.#journal.writeAlone(this.partitionOf(group.id), records, apply)
    } catch (error) {
      if (dying) group.revive()
      throw error
    }
    return dying
  }

  // --- ageing

  #scheduleExpiry(): void {
    const waitMs = this.#environment.config['offsets.retention.check.interval.ms']
    this.#expiryTimer = this.#environment.clock.after(waitMs, () => {
      this.expireOffsets().catch(refusalOf)
      this.#scheduleExpiry()
    })
  }

  /** Removes offsets that are too old, and empty groups without any. Rejects when the log refuses; nothing is lost. */
  async expireOffsets(): Promise<void> {
    const retentionMs = this.#environment.config['offsets.retention.minutes'] * 60_000
    const pick = (group: Group) => () => expiredOffsets(group, this.#environment.clock.now(), retentionMs)
    for (const group of [...this.#groups.values()]) {
      const expired = pick(group)()
      if (!outlives(group, expired)) await this.#remove(group, pick(group))
      else if (expired.length > 0) await this.#forget(group, pick(group))
    }
  }
}

/** Commits from before topics had ids, and questions by name, are about any topic of that name. */
function isOfTopic(committed: Committed | undefined, topicId: string | null): boolean {
  return committed?.topicId == null || topicId === null || committed.topicId === topicId
}
