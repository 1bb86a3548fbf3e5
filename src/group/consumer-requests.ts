// What consumers ask of their coordinator since KIP-848: ConsumerGroupHeartbeat and ConsumerGroupDescribe.

import type { ErrorName } from '../../protocol/errors.ts'
import { Refusal, StorageError } from '../../protocol/errors.ts'
import { randomId } from '../storage/clock.ts'
import { telling } from './catalog.ts'
import { ClassicGroup } from './classic-group.ts'
import { ConsumerChange } from './consumer-change.ts'
import { allows, concluded, undecided } from './consumer-decision.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerAnswer, ConsumerHeartbeat } from './consumer-heartbeat.ts'
import { beat } from './consumer-heartbeat.ts'
import { preferredAssignor, removeMembers, unseen } from './consumer-progress.ts'
import type { ConsumerMember } from './consumer-state.ts'
import type { Group } from './group.ts'
import type { Decision } from './journal.ts'
import { consumerProtocolType } from './membership.ts'
import { upgraded } from './migration.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import type { TopicPartitions } from './partitions.ts'
import { topicPartitionsOf } from './partitions.ts'
import { refusalOf } from './refusal.ts'
import type { Roster } from './roster.ts'

export type DescribedConsumers = {
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly members: readonly {
    readonly member: ConsumerMember
    readonly assignment: readonly TopicPartitions[]
    readonly target: readonly TopicPartitions[]
  }[]
}

/** The group a heartbeat is for. */
type Found = {
  readonly group: ConsumerGroup
  /** Removes the classic group in whose place it comes. */
  readonly first?: readonly OffsetsRecord[]
  /** What its members bring with them. */
  readonly change?: ConsumerChange
  readonly classic?: ClassicGroup
}

export class ConsumerRequests {
  readonly #roster: Roster

  constructor(roster: Roster) {
    this.#roster = roster
    roster.onConsumerExpired = (groupId, memberId) => this.expire(groupId, memberId)
  }

  /** group.coordinator.rebalance.protocols. */
  get isServed(): boolean {
    return this.#roster.config['group.coordinator.rebalance.protocols'].includes('consumer')
  }

  /** For clients that were told to let the broker choose (before KIP-1082). */
  newMemberId(): string {
    return randomId(this.#roster.clock)
  }

  refuseAssignor(name: string | null): Refusal | undefined {
    const served = this.#roster.config['group.consumer.assignors']
    if (name === null || served.includes(name)) return undefined
    const message = `ServerAssignor ${name} is not supported. Supported assignors: ${served.join(', ')}.`
    return new Refusal('UNSUPPORTED_ASSIGNOR', message)
  }

  async heartbeat(request: ConsumerHeartbeat): Promise<ConsumerAnswer | Refusal> {
    const closed = this.#roster.memberGate(request.groupId)
    if (closed !== 'NONE') return new Refusal(closed)
    let upgrading: ClassicGroup | undefined
    const decide = () =>
      this.#decide(request, (classic) => {
        upgrading = classic
        classic.disband()
      })
    try {
      return await this.#roster.decide(request.groupId, decide)
    } catch (error) {
      if (upgrading !== undefined) this.#revive(upgrading)
      return new Refusal(refusalOf(error))
    }
  }

  /** The log would not have it: the classic group goes on with the members that it had. */
  #revive(classic: ClassicGroup): void {
    const again = this.#roster.newClassic(classic.id, classic.offsets)
    this.#roster.put(again)
    again.inherit(classic.remains)
  }

  /** `disband` is called with a classic group that is about to become this one. */
  #decide(request: ConsumerHeartbeat, disband: (classic: ClassicGroup) => void): Decision<ConsumerAnswer | Refusal> {
    const { memberId } = request
    const found = this.#find(request)
    if (found instanceof Refusal) return undecided(found)
    const { group } = found
    const change = found.change ?? new ConsumerChange(group.memory)
    const circumstances = this.#circumstances(request)
    const { version } = circumstances.catalog
    const topicsChanged = version !== group.topicsVersion
    const answer = beat(change, request, { ...circumstances, topicsChanged })
    if (answer instanceof Refusal) return undecided(answer)
    const then = () => {
      group.topicsVersion = version
      // Who has left for a while is waited for as long as anybody.
      group.touch(memberId)
      group.clearErrand(memberId)
    }
    // From here on it must not change any more.
    if (found.classic !== undefined) disband(found.classic)
    return concluded(this.#roster, group, change, answer, { first: found.first ?? [], then })
  }

  /** An expression stands for what the member whose heartbeat resolves it may see, as in Kafka. */
  #circumstances({ groupId, isSeen }: ConsumerHeartbeat) {
    const circumstances = this.#roster.circumstances(groupId)
    if (isSeen === undefined) return circumstances
    return { ...circumstances, catalog: telling(circumstances.catalog, isSeen) }
  }

  #find(request: ConsumerHeartbeat): Found | Refusal {
    const { groupId, memberEpoch } = request
    const group = this.#roster.find(groupId)
    if (group instanceof ConsumerGroup && group.state !== 'Dead') return { group }
    const made = memberEpoch === 0 ? this.#make(groupId, group) : undefined
    if (made !== undefined) return made
    if (group !== undefined) return new Refusal('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
    const word = memberEpoch < 0 ? 'Group' : 'Consumer group'
    return new Refusal('GROUP_ID_NOT_FOUND', `${word} ${groupId} not found.`)
  }

  /** A new consumer group, in the place of a classic one if there is one that lets itself be replaced. */
  #make(groupId: string, group: Group | undefined): Found | Refusal | undefined {
    if (group === undefined) return { group: this.#roster.newConsumer(groupId) }
    if (!(group instanceof ClassicGroup) || group.state === 'Dead') return undefined
    const first = group.tombstones()
    if (group.isEmpty) return { group: this.#roster.newConsumer(groupId, undefined, group.offsets), first }
    const change = this.#upgrade(group)
    if (change instanceof Refusal) return change
    return { group: this.#roster.newConsumer(groupId, undefined, group.offsets), first, change, classic: group }
  }

  #upgrade(classic: ClassicGroup): ConsumerChange | Refusal {
    const { id, remains, protocol, protocolType } = classic
    const circumstances = this.#roster.circumstances(id)
    const refuse = (why: string) =>
      new Refusal('GROUP_ID_NOT_FOUND', `Cannot upgrade classic group ${id} to consumer group because ${why}`)
    if (!allows(this.#roster.config['group.consumer.migration.policy'], 'upgrade'))
      return refuse('online upgrade is disabled.')
    if (protocolType !== consumerProtocolType) return refuse('the group does not use the consumer embedded protocol.')
    if (remains.members.length > circumstances.rules.membersMax)
      return refuse('the group size exceeds the consumer group maximum size.')
    const change = upgraded(remains, protocol, circumstances)
    return change ?? refuse('the embedded consumer protocol is malformed.')
  }

  /** A member of which nothing was heard, or that does not let go: it is out. */
  expire(groupId: string, memberId: string): void {
    const decide = (): Decision<void> => {
      const group = this.#roster.find(groupId)
      if (!(group instanceof ConsumerGroup) || !group.memory.members.has(memberId)) return undecided(undefined)
      const change = new ConsumerChange(group.memory)
      removeMembers(change, [memberId], unseen(group.memory, this.#roster.circumstances(groupId)))
      return concluded(this.#roster, group, change, undefined)
    }
    this.#roster.decide(groupId, decide).catch((error: unknown) => {
      if (!(error instanceof StorageError)) throw error
      // The disk would not take it; the member has another session to come back in.
      const group = this.#roster.find(groupId)
      if (group instanceof ConsumerGroup) group.touch(memberId)
    })
  }

  describe(groupId: string): Refusal | DescribedConsumers {
    const closed: ErrorName = this.#roster.memberGate(groupId)
    if (closed !== 'NONE') return new Refusal(closed)
    const group = this.#roster.find(groupId)
    if (group === undefined || group.state === 'Dead')
      return new Refusal('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
    if (!(group instanceof ConsumerGroup))
      return new Refusal('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
    const { memory } = group
    return {
      groupState: group.state,
      groupEpoch: memory.epoch,
      assignmentEpoch: memory.assignmentEpoch,
      assignorName: preferredAssignor(memory, this.#roster.circumstances(groupId).rules),
      members: [...memory.members.values()].map((member) => ({
        member,
        assignment: topicPartitionsOf(group.owned(member)),
        target: topicPartitionsOf(memory.target(member.id)),
      })),
    }
  }
}
