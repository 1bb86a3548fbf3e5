// Committed offsets of groups of every type: commit, fetch, delete, and what goes with a topic.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Committer, Group } from './group.ts'
import type { Committed, TopicPartition } from './offsets.ts'
import { Offsets } from './offsets.ts'
import { offsetRecord, offsetTombstone } from './records.ts'
import { refusalOf } from './refusal.ts'
import type { Roster } from './roster.ts'

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
  /** Null, and a generation below 0: an asker that is no member, or does not say. */
  readonly memberId?: string | null
  readonly generation?: number
  /** Null: everything the group has committed. */
  readonly wanted: readonly (TopicPartition & { readonly topicId: string | null })[] | null
  /** KIP-447: no answer for offsets that an open transaction is about to change. */
  readonly requireStable: boolean
}

type CommittedAt = TopicPartition & { readonly committed: Committed }

export type Fetched = TopicPartition & {
  readonly error: ErrorName
  /** Undefined: nothing was committed. */
  readonly committed: Committed | undefined
}

export class OffsetRequests {
  readonly #roster: Roster

  constructor(roster: Roster) {
    this.#roster = roster
  }

  /** One answer for each commit; the good ones are in the log by then. */
  async commit(request: CommitRequest): Promise<ErrorName[]> {
    const refusal = this.#refuseCommit(request)
    if (refusal !== 'NONE') return request.commits.map(() => refusal)
    const metadataMax = this.#roster.config['offset.metadata.max.bytes']
    const answers = request.commits.map(
      ({ metadata }): ErrorName => (metadata.length > metadataMax ? 'OFFSET_METADATA_TOO_LARGE' : 'NONE'),
    )
    const good = request.commits.filter((_, i) => answers[i] === 'NONE')
    const outcome = await this.#write(request.groupId, good.map(this.#committed(request)))
    return answers.map((answer) => (answer === 'NONE' ? outcome : answer))
  }

  #refuseCommit(request: CommitRequest): ErrorName {
    const closed = this.#roster.gate(request.groupId)
    if (closed !== 'NONE') return closed
    const group = this.#roster.find(request.groupId)
    if (group !== undefined) return group.admitCommit(request)
    // Without a generation it comes from somebody outside group management, who needs no group before.
    if (request.generation < 0) return 'NONE'
    // Before OffsetCommit v9 a generation of a group that is not here was called illegal.
    return request.knowsEpochs === false ? 'ILLEGAL_GENERATION' : 'GROUP_ID_NOT_FOUND'
  }

  #committed({ retentionMs }: Pick<CommitRequest, 'retentionMs'>) {
    const commitAt = this.#roster.clock.now()
    const expireAt = retentionMs === null ? null : commitAt + retentionMs
    return ({ topic, partition, topicId, offset, leaderEpoch, metadata }: Commit) => ({
      topic,
      partition,
      committed: { offset, leaderEpoch, metadata, commitAt, expireAt, topicId },
    })
  }

  async #write(groupId: string, all: readonly CommittedAt[]): Promise<ErrorName> {
    if (all.length === 0) return 'NONE'
    try {
      await this.#append(groupId, all)
      return 'NONE'
    } catch (error) {
      return refusalOf(error)
    }
  }

  #append(groupId: string, all: readonly CommittedAt[]): Promise<void> {
    const records = all.map((of) => offsetRecord(groupId, of.topic, of.partition, of.committed))
    const apply = () => {
      // Looked up only now: the group may have been removed while the records were on their way.
      const { offsets } = this.#roster.findOrMake(groupId)
      for (const { topic, partition, committed } of all) offsets.set(topic, partition, committed)
    }
    return this.#roster.write(groupId, records, apply)
  }

  /** Why `ofTopic` may leave groups out at the moment, or NONE. */
  get gateOfAll(): ErrorName {
    return this.#roster.gateOfAll
  }

  /** What every group has committed for a topic. */
  *ofTopic(topic: string, topicId: string): Generator<{ groupId: string; partition: number; committed: Committed }> {
    for (const { id: groupId, offsets } of this.#roster.all)
      for (const { partition, committed } of offsets.of(topic))
        if (isOfTopic(committed, topicId)) yield { groupId, partition, committed }
  }

  /** Commits in the name of a group, for a topic that none of its members can know yet. Rejects with StorageError. */
  async plant(groupId: string, commits: readonly Commit[]): Promise<void> {
    await this.#append(groupId, commits.map(this.#committed({ retentionMs: null })))
  }

  /** A group that was never heard of has committed nothing: that is no error. */
  fetch(request: FetchRequest): ErrorName | Fetched[] {
    const { groupId, wanted, requireStable, memberId = null, generation = -1 } = request
    const closed = this.#roster.gate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#roster.find(groupId)
    const isMember = memberId !== null || generation >= 0
    const refusal = isMember ? (group?.admitFetch?.({ memberId: memberId ?? '', generation }) ?? 'NONE') : 'NONE'
    if (refusal !== 'NONE') return refusal
    const offsets = group?.offsets ?? new Offsets()
    const asked = wanted ?? [...offsets.all()].map(({ topic, partition }) => ({ topic, partition, topicId: null }))
    return asked.map(({ topic, partition, topicId }): Fetched => {
      if (requireStable && offsets.isUnstable(topic, partition))
        return { topic, partition, error: 'UNSTABLE_OFFSET_COMMIT', committed: undefined }
      const committed = offsets.get(topic, partition)
      return { topic, partition, error: 'NONE', committed: isOfTopic(committed, topicId) ? committed : undefined }
    })
  }

  /** One error for the request, or one for each offset (KIP-496). */
  async delete(groupId: string, doomed: readonly TopicPartition[]): Promise<ErrorName | ErrorName[]> {
    const closed = this.#roster.memberGate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#roster.find(groupId)
    const refusal = group?.admitOffsetDelete() ?? 'GROUP_ID_NOT_FOUND'
    if (refusal !== 'NONE') return refusal
    const answers = doomed.map(
      ({ topic }): ErrorName => (group!.isSubscribed(topic) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'),
    )
    const free = doomed.filter((_, i) => answers[i] === 'NONE')
    try {
      await this.forget(group!, () => free)
      return answers
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** Removes offsets that are picked when everything asked for earlier has been applied. */
  forget(group: Group, pick: () => readonly TopicPartition[]): Promise<void> {
    let doomed: readonly TopicPartition[] = []
    const records = () => {
      doomed = pick()
      return doomed.map(({ topic, partition }) => offsetTombstone(group.id, topic, partition))
    }
    const apply = () => {
      for (const { topic, partition } of doomed) group.offsets.delete(topic, partition)
    }
    return this.#roster.writeAlone(group.id, records, apply)
  }

  /** Offsets of a topic that is gone mean nothing in the next one of that name. Never rejects. */
  async onTopicDeleted(topic: string, topicId: string): Promise<void> {
    const groups = this.#roster.all.filter((group) => group.offsets.topics.includes(topic))
    const pick = (group: Group) => () =>
      [...group.offsets.of(topic)].filter(({ committed }) => isOfTopic(committed, topicId))
    // What the disk will not forget is told apart by its topic id, and expires.
    await Promise.all(groups.map((group) => this.forget(group, pick(group)).catch(refusalOf)))
  }
}

/** Commits from before topics had ids, and questions by name, are about any topic of that name. */
function isOfTopic(committed: Committed | undefined, topicId: string | null): boolean {
  return committed?.topicId == null || topicId === null || committed.topicId === topicId
}
