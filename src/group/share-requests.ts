// What members and administrators of share groups ask of their coordinator: ShareGroupHeartbeat, ShareGroupDescribe, and
// where a group begins to read.

import { type ErrorName, Refusal, StorageError } from '../../protocol/errors.ts'
import type { PlantedShare } from '../branch/lineage.ts'
import type { CatalogTopic } from './catalog.ts'
import type { Decision } from './journal.ts'
import type { Partitions, TopicPartitions } from './partitions.ts'
import { add, each, noPartitions, topicPartitionsOf, where } from './partitions.ts'
import { refusalOf } from './refusal.ts'
import type { Roster } from './roster.ts'
import { ShareGroup } from './share-group.ts'
import type { ShareAnswer, ShareHeartbeat } from './share-heartbeat.ts'
import { beat, checkHeartbeat, leaves, removeMember, subscribedTopics } from './share-heartbeat.ts'
import type { ShareKeeper } from './share-keeper.ts'
import { shareRecord } from './share-records.ts'
import type { ShareMember } from './share-state.ts'
import { ShareChange } from './share-state.ts'

export type DescribedSharers = {
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly members: readonly { readonly member: ShareMember; readonly assignment: readonly TopicPartitions[] }[]
}

/** Where an administrator wants a group to go on. */
export type ShareStart = { readonly topic: CatalogTopic; readonly partition: number; readonly startOffset: number }

export const shareAssignor = 'simple'

export class ShareRequests {
  readonly #roster: Roster
  readonly #keeper: ShareKeeper
  /** Groups whose memory is on its way out: who comes back now would be given what is forgotten a moment later. */
  readonly #forgotten = new Set<string>()
  /** Requests under way that may make a group: what is remembered for it already is no orphan's. */
  readonly #making = new Map<string, number>()

  constructor(roster: Roster, keeper: ShareKeeper) {
    this.#roster = roster
    this.#keeper = keeper
    roster.onShareExpired = (groupId, memberId) => this.expire(groupId, memberId)
  }

  // --- members

  async heartbeat(request: ShareHeartbeat): Promise<ShareAnswer | Refusal> {
    const invalid = checkHeartbeat(request)
    if (invalid !== undefined) return invalid
    const { groupId } = request
    const closed = this.#roster.gate(groupId)
    if (closed !== 'NONE') return new Refusal(closed)
    return await this.#mayMake(groupId, async () => {
      const unkept = await this.#keep(request)
      if (unkept !== 'NONE') return new Refusal(unkept)
      // One that leaves may have words to say yet about what it has acquired: that ends with its session.
      return await this.#roster.decide(groupId, () =>
        this.#forgotten.has(groupId) ? nothing(notYet()) : this.#decide(request),
      )
    })
  }

  /** `make` may end with a group that has not been. */
  async #mayMake<T>(groupId: string, make: () => Promise<T>): Promise<T | Refusal> {
    if (this.#forgotten.has(groupId)) return notYet()
    try {
      return await this.#whileMaking(groupId, make)
    } catch (error) {
      return new Refusal(refusalOf(error))
    }
  }

  async #whileMaking<T>(groupId: string, make: () => Promise<T>): Promise<T> {
    this.#making.set(groupId, (this.#making.get(groupId) ?? 0) + 1)
    try {
      return await make()
    } finally {
      const others = this.#making.get(groupId)! - 1
      if (others === 0) this.#making.delete(groupId)
      else this.#making.set(groupId, others)
    }
  }

  #decide(request: ShareHeartbeat): Decision<ShareAnswer | Refusal> {
    const { groupId, memberId, memberEpoch } = request
    const group = this.#find(groupId, memberEpoch)
    if (group instanceof Refusal) return nothing(group)
    const change = new ShareChange(group.memory)
    const catalog = this.#roster.catalogOf(groupId)
    const rules = this.#roster.shareRules(groupId)
    const known = this.#known(group, this.#wanted(request))
    const answer = beat(change, request, { now: this.#roster.clock.now(), catalog, known, ...rules })
    if (answer instanceof Refusal) return nothing(answer)
    const apply = () => {
      if (this.#roster.find(groupId) === undefined) this.#roster.put(group)
      if (change.state !== change.before) group.adopt(change.state)
      group.touch(memberId)
    }
    return { records: change.records.map((record) => shareRecord(groupId, record)), apply, answer }
  }

  #find(groupId: string, memberEpoch: number): ShareGroup | Refusal {
    const group = this.#roster.find(groupId)
    if (group instanceof ShareGroup && group.state !== 'Dead') return group
    if (group === undefined && memberEpoch === 0) return this.#roster.newShare(groupId)
    if (group !== undefined && group.type !== 'share') return notShare(groupId)
    return new Refusal('GROUP_ID_NOT_FOUND', `${memberEpoch < 0 ? 'Group' : 'Share group'} ${groupId} not found.`)
  }

  /** Topics that the group reads once this heartbeat is heard. */
  #wanted({ groupId, topics }: Pick<ShareHeartbeat, 'groupId' | 'topics'>): CatalogTopic[] {
    const group = this.#roster.find(groupId)
    const members = group instanceof ShareGroup ? [...group.memory.members.values()] : []
    return subscribedTopics(
      [...(topics ?? []), ...members.flatMap((member) => member.topics)],
      this.#roster.catalogOf(groupId),
    )
  }

  /** What may be assigned: it is remembered what of it is done. */
  #known({ id, memory }: ShareGroup, wanted: readonly CatalogTopic[]): Partitions {
    const known = new Map<string, Set<number>>()
    for (const [topicId, partition] of each(where(memory.known, (topicId) => this.#isThere(id, topicId))))
      if (this.#keeper.keeps(id, topicId, partition)) add(known, topicId, partition)
    for (const { id: topicId, partitionCount } of wanted)
      for (let partition = 0; partition < partitionCount; partition++)
        if (this.#keeper.keeps(id, topicId, partition)) add(known, topicId, partition)
    return known
  }

  #isThere(groupId: string, topicId: string): boolean {
    return this.#roster.catalogOf(groupId).byId(topicId) !== undefined
  }

  /** Sees to it that of all that the group reads it is remembered what is done, before anybody is told to read it. */
  async #keep({ groupId, memberEpoch, topics }: ShareHeartbeat): Promise<ErrorName> {
    const group = this.#roster.find(groupId)
    if (memberEpoch === leaves || (group !== undefined && group.type !== 'share')) return 'NONE'
    if (memberEpoch !== 0 && group === undefined) return 'NONE'
    for (const { id: topicId, partitionCount } of this.#wanted({ groupId, topics })) {
      const all = Array.from({ length: partitionCount }, (_, partition) => partition)
      const missing = all.filter((partition) => !this.#keeper.keeps(groupId, topicId, partition))
      const outcome = missing.length === 0 ? 'NONE' : await this.#keeper.initialise(groupId, topicId, missing)
      if (outcome !== 'NONE') return outcome
    }
    return 'NONE'
  }

  /** A member of which nothing was heard: it is out. */
  expire(groupId: string, memberId: string): void {
    const decide = (): Decision<boolean> => {
      const group = this.#roster.find(groupId)
      if (!(group instanceof ShareGroup) || !group.memory.members.has(memberId)) return nothing(false)
      const change = new ShareChange(group.memory)
      removeMember(change, memberId, this.#roster.catalogOf(groupId), this.#roster.clock.now())
      const records = change.records.map((record) => shareRecord(groupId, record))
      return { records, apply: () => group.adopt(change.state), answer: true }
    }
    const settled = (isOut: boolean) => {
      if (isOut) this.#gone(groupId, memberId)
    }
    this.#roster.decide(groupId, decide).then(settled, (error: unknown) => {
      if (!(error instanceof StorageError)) throw error
      // The disk would not take it; the member has another session to come back in.
      const group = this.#roster.find(groupId)
      if (group instanceof ShareGroup) group.touch(memberId)
    })
  }

  /** What it had acquired goes to others. Nothing is lost where the log refuses: locks end by themselves. */
  #gone(groupId: string, memberId: string): void {
    this.#keeper.onMemberGone(groupId, memberId).catch(refusalOf)
  }

  describe(groupId: string): Refusal | DescribedSharers {
    const closed = this.#roster.memberGate(groupId)
    if (closed !== 'NONE') return new Refusal(closed)
    const group = this.#existing(groupId)
    if (group instanceof Refusal) return group
    const { epoch: groupEpoch, assignmentEpoch, members } = group.memory
    return {
      groupState: group.state,
      groupEpoch,
      assignmentEpoch,
      members: [...members.values()].map((member) => ({ member, assignment: topicPartitionsOf(member.assigned) })),
    }
  }

  #existing(groupId: string): ShareGroup | Refusal {
    const group = this.#roster.find(groupId)
    if (group === undefined || group.state === 'Dead')
      return new Refusal('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
    return group instanceof ShareGroup ? group : notShare(groupId)
  }

  // --- where a group begins

  /** One refusal for the request, or one answer for each. A group that is not yet is made where a topic that there is was named. */
  async alterStarts(
    groupId: string,
    starts: readonly ShareStart[],
    makes: boolean,
  ): Promise<Refusal | (Refusal | undefined)[]> {
    const closed = this.#roster.memberGate(groupId)
    if (closed !== 'NONE') return new Refusal(closed)
    return await this.#mayMake<Refusal | (Refusal | undefined)[]>(groupId, async () => {
      const refusal = await this.#roster.decide(groupId, () =>
        this.#forgotten.has(groupId) ? nothing(notYet()) : this.#decideStarts(groupId, starts, makes),
      )
      if (refusal !== undefined) return refusal
      return await Promise.all(
        starts.map(async ({ topic, partition, startOffset }) => {
          const outcome = await this.#keeper.alter(groupId, topic.id, partition, startOffset)
          return outcome === 'NONE' ? undefined : new Refusal(outcome)
        }),
      )
    })
  }

  #decideStarts(groupId: string, starts: readonly ShareStart[], makes: boolean): Decision<Refusal | undefined> {
    const group = this.#find(groupId, 0)
    if (group instanceof Refusal) return nothing(group)
    if (!group.isEmpty) return nothing(new Refusal('NON_EMPTY_GROUP', 'The group is not empty.'))
    if (!makes && this.#roster.find(groupId) === undefined) return nothing(undefined)
    const change = new ShareChange(group.memory)
    const known = new Map([...group.memory.known].map(([topicId, partitions]) => [topicId, new Set(partitions)]))
    for (const { topic, partition } of starts) add(known, topic.id, partition)
    if (group.memory.epoch === 0) setFirstEpoch(change)
    if (starts.length > 0) change.setKnown(known, (topicId) => this.#nameOf(group, topicId))
    return this.#changed(group, change, undefined)
  }

  #changed<T>(group: ShareGroup, change: ShareChange, answer: T): Decision<T> {
    const apply = () => {
      if (this.#roster.find(group.id) === undefined) this.#roster.put(group)
      group.adopt(change.state)
    }
    return { records: change.records.map((record) => shareRecord(group.id, record)), apply, answer }
  }

  #nameOf({ id, memory }: ShareGroup, topicId: string): string {
    return this.#roster.catalogOf(id).byId(topicId)?.name ?? memory.names.get(topicId) ?? ''
  }

  /** One refusal for the request, or one answer for each topic. */
  async deleteStarts(groupId: string, topicIds: readonly string[]): Promise<Refusal | (Refusal | undefined)[]> {
    const closed = this.#roster.memberGate(groupId)
    if (closed !== 'NONE') return new Refusal(closed)
    const group = this.#existing(groupId)
    if (group instanceof Refusal) return group
    if (!group.isEmpty) return new Refusal('NON_EMPTY_GROUP', 'The group is not empty.')
    const none = new Refusal('UNKNOWN_TOPIC_OR_PARTITION', 'There is no offset information to delete.')
    const notAvailable = new Refusal('COORDINATOR_NOT_AVAILABLE')
    const isReadable = (topicId: string): boolean =>
      ![...group.memory.known.get(topicId)!].some((of) => this.#keeper.isUnreadable(groupId, topicId, of))
    const begun = topicIds.filter((topicId) => group.memory.known.has(topicId))
    const known = begun.filter(isReadable)
    try {
      await this.#forgetTopics(group, known)
      const outcomes = await Promise.all(known.map((topicId) => this.#keeper.forget(groupId, topicId)))
      return topicIds.map((topicId) => {
        const outcome = outcomes[known.indexOf(topicId)]
        if (outcome === undefined) return begun.includes(topicId) ? notAvailable : none
        return outcome === 'NONE' ? undefined : new Refusal(outcome)
      })
    } catch (error) {
      return new Refusal(refusalOf(error))
    }
  }

  /** Where a group has begun, and nobody can tell how far it has come. */
  unreadableOf(groupId: string): Partitions {
    const group = this.#roster.find(groupId)
    if (!(group instanceof ShareGroup)) return noPartitions
    return where(group.memory.known, (topicId, of) => this.#keeper.isUnreadable(groupId, topicId, of))
  }

  #forgetTopics(group: ShareGroup, topicIds: readonly string[]): Promise<void> {
    return this.#roster.decide(group.id, () => {
      const change = new ShareChange(group.memory)
      const isKept = (topicId: string) => !topicIds.includes(topicId)
      if ([...group.memory.known.keys()].every(isKept)) return nothing(undefined)
      change.setKnown(where(group.memory.known, isKept), (topicId) => this.#nameOf(group, topicId))
      const records = change.records.map((record) => shareRecord(group.id, record))
      return { records, apply: () => group.adopt(change.state), answer: undefined }
    })
  }

  // --- how far groups have come, as branches take it over

  /** What is known of every group that has begun to read a topic. */
  ofTopic(topicId: string): Iterable<PlantedShare> {
    return this.#keeper.ofTopic(topicId)
  }

  /**
   * How far a group has come where none of its members reads yet. One that is not yet is made; one of another kind, or that is
   * just being deleted, is let be. Rejects with StorageError.
   */
  async plant(share: PlantedShare): Promise<void> {
    const { group: groupId } = share
    if (this.#roster.gate(groupId) !== 'NONE' || this.#forgotten.has(groupId)) return
    await this.#whileMaking(groupId, async () => {
      if (await this.#roster.decide(groupId, () => this.#decideToBe(groupId))) await this.#keeper.plant(share)
    })
  }

  #decideToBe(groupId: string): Decision<boolean> {
    const group = this.#find(groupId, 0)
    if (group instanceof Refusal || this.#forgotten.has(groupId)) return nothing(false)
    const change = new ShareChange(group.memory)
    if (group.memory.epoch === 0) setFirstEpoch(change)
    return this.#changed(group, change, true)
  }

  // --- what is gone

  /** Never rejects: a topic that is gone is passed over, whatever is remembered of it. */
  async onTopicDeleted(topicId: string): Promise<void> {
    const groups = this.#roster.all.filter((group): group is ShareGroup => group instanceof ShareGroup)
    const reading = groups.filter(({ memory }) => memory.known.has(topicId))
    await Promise.all(reading.map((group) => this.#forgetTopics(group, [topicId]).catch(refusalOf)))
  }

  /** The group was deleted: what it has done is forgotten. */
  async forget(groupId: string): Promise<ErrorName> {
    this.#forgotten.add(groupId)
    try {
      return await this.#keeper.forget(groupId)
    } finally {
      this.#forgotten.delete(groupId)
    }
  }

  /** A kill came between the end of a group, or of a topic, and that of its memory. Never rejects. */
  async forgetOrphans(): Promise<void> {
    const orphans = this.#keeper.groups().filter((groupId) => {
      const isReadable = this.#roster.gate(groupId) === 'NONE'
      return isReadable && !this.#making.has(groupId) && !(this.#roster.find(groupId) instanceof ShareGroup)
    })
    await Promise.all(orphans.map((groupId) => this.forget(groupId)))
    await this.#keeper.forgetGone()
  }
}

/** Of a new group, which nobody has been told of. */
const setFirstEpoch = (change: ShareChange): void => change.setEpoch(1, 0)

/** Asked again, it is there or can be made. */
const notYet = (): Refusal => new Refusal('COORDINATOR_LOAD_IN_PROGRESS')

const notShare = (groupId: string): Refusal =>
  new Refusal('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a share group.`)

const nothing = <T>(answer: T): Decision<T> => ({ records: [], apply: () => {}, answer })
