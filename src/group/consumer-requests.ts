// What consumers ask of their coordinator since KIP-848: ConsumerGroupHeartbeat and ConsumerGroupDescribe.

import type { ErrorName } from '../../protocol/errors.ts'
import { Refusal, StorageError } from '../../protocol/errors.ts'
import { randomId } from '../storage/clock.ts'
import { ConsumerChange } from './consumer-change.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerAnswer, ConsumerHeartbeat } from './consumer-heartbeat.ts'
import { beat } from './consumer-heartbeat.ts'
import { preferredAssignor, removeMembers } from './consumer-progress.ts'
import { consumerRecord } from './consumer-records.ts'
import type { ConsumerMember } from './consumer-state.ts'
import type { Decision } from './journal.ts'
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
    try {
      return await this.#roster.decide(request.groupId, () => this.#decide(request))
    } catch (error) {
      return new Refusal(refusalOf(error))
    }
  }

  #decide(request: ConsumerHeartbeat): Decision<ConsumerAnswer | Refusal> {
    const { groupId, memberId } = request
    const found = this.#find(request)
    if (found instanceof Refusal) return nothing(found)
    const { group, records } = found
    const change = new ConsumerChange(group.memory)
    const circumstances = this.#roster.circumstances(groupId)
    const { version } = circumstances.catalog
    const topicsChanged = version !== group.topicsVersion
    const answer = beat(change, request, { ...circumstances, topicsChanged })
    if (answer instanceof Refusal) return nothing(answer)
    const apply = () => {
      if (records.length > 0 || this.#roster.find(groupId) === undefined) this.#roster.put(group)
      group.topicsVersion = version
      if (change.state !== change.before) group.adopt(change.state)
      // Who has left for a while is waited for as long as anybody.
      group.touch(memberId)
    }
    return { records: [...records, ...change.records.map((record) => consumerRecord(groupId, record))], apply, answer }
  }

  /** The group; with the records that make an empty classic one into it. */
  #find({ groupId, memberEpoch }: ConsumerHeartbeat): { group: ConsumerGroup; records: OffsetsRecord[] } | Refusal {
    const group = this.#roster.find(groupId)
    if (group instanceof ConsumerGroup && group.state !== 'Dead') return { group, records: [] }
    if (memberEpoch === 0 && group === undefined) return { group: this.#roster.newConsumer(groupId), records: [] }
    if (memberEpoch === 0 && group?.type === 'classic' && group.isEmpty)
      return { group: this.#roster.newConsumer(groupId, undefined, group.offsets), records: [...group.tombstones()] }
    if (group !== undefined) return new Refusal('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
    const word = memberEpoch < 0 ? 'Group' : 'Consumer group'
    return new Refusal('GROUP_ID_NOT_FOUND', `${word} ${groupId} not found.`)
  }

  /** A member of which nothing was heard, or that does not let go: it is out. */
  expire(groupId: string, memberId: string): void {
    const decide = (): Decision<void> => {
      const group = this.#roster.find(groupId)
      if (!(group instanceof ConsumerGroup) || !group.memory.members.has(memberId)) return nothing(undefined)
      const change = new ConsumerChange(group.memory)
      removeMembers(change, [memberId], this.#roster.circumstances(groupId))
      const records = change.records.map((record) => consumerRecord(groupId, record))
      return { records, apply: () => group.adopt(change.state), answer: undefined }
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

const nothing = <T>(answer: T): Decision<T> => ({ records: [], apply: () => {}, answer })
