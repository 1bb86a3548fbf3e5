// A change of a consumer group as it is being decided: records in the order in which they will be written, and the state
// that they lead to. What it began with stays as it is until the records are in the log.

import type { ConsumerRecord } from './consumer-records.ts'
import type { ConsumerMember, ConsumerState } from './consumer-state.ts'
import { memberStates } from './consumer-state.ts'
import type { Partitions } from './partitions.ts'
import { topicPartitionsOf } from './partitions.ts'
import type { Step } from './reconcile.ts'

export class ConsumerChange {
  readonly before: ConsumerState
  readonly records: ConsumerRecord[] = []
  #state: ConsumerState
  #hasRemoved = false

  constructor(before: ConsumerState) {
    this.before = before
    this.#state = before
  }

  /** With all that has been decided so far. */
  get state(): ConsumerState {
    return this.#state
  }

  /** Whether a member has gone, or has been replaced by itself. */
  get hasRemoved(): boolean {
    return this.#hasRemoved
  }

  #take(record: ConsumerRecord): void {
    if (this.#state === this.before) this.#state = this.before.fork()
    this.#state.apply(record)
    this.records.push(record)
  }

  setEpoch(epoch: number, metadataHash: number): void {
    this.#take({ kind: 'group', key: {}, value: { epoch, metadataHash } })
  }

  setMember(member: ConsumerMember): void {
    const value = {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topics],
      subscribedTopicRegex: member.regex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.assignor,
      classicMemberMetadata: member.classic,
    }
    this.#take({ kind: 'member', key: { memberId: member.id }, value })
  }

  setTargetEpoch(assignmentEpoch: number, assignmentTimestamp: number): void {
    this.#take({ kind: 'target', key: {}, value: { assignmentEpoch, assignmentTimestamp } })
  }

  setTarget(memberId: string, target: Partitions): void {
    this.#take({ kind: 'targetMember', key: { memberId }, value: { topicPartitions: topicPartitionsOf(target) } })
  }

  setCurrent(memberId: string, { epoch, previousEpoch, state, assigned, revoking, since }: Step): void {
    const withEpochs = (all: Partitions) =>
      topicPartitionsOf(all).map(({ topicId, partitions }) => ({
        topicId,
        partitions,
        assignmentEpochs: partitions.map((partition) => since.get(topicId)?.get(partition) ?? epoch),
      }))
    const value = {
      memberEpoch: epoch,
      previousMemberEpoch: previousEpoch,
      state: memberStates[state],
      assignedPartitions: withEpochs(assigned),
      partitionsPendingRevocation: withEpochs(revoking),
    }
    this.#take({ kind: 'current', key: { memberId }, value })
  }

  setRegex(regularExpression: string, topics: string[], version: number, timestamp: number): void {
    this.#take({ kind: 'regex', key: { regularExpression }, value: { topics, version, timestamp } })
  }

  removeMember(memberId: string): void {
    this.#hasRemoved = true
    this.#take({ kind: 'current', key: { memberId }, value: null })
    if (this.#state.targets.has(memberId)) this.#take({ kind: 'targetMember', key: { memberId }, value: null })
    this.#take({ kind: 'member', key: { memberId }, value: null })
  }

  removeRegex(regularExpression: string): void {
    this.#take({ kind: 'regex', key: { regularExpression }, value: null })
  }

  /** Everything goes: the group is deleted, or becomes one of another type. */
  removeGroup(): void {
    for (const memberId of this.#state.members.keys()) this.removeMember(memberId)
    for (const memberId of this.#state.targets.keys())
      this.#take({ kind: 'targetMember', key: { memberId }, value: null })
    for (const regex of this.#state.regexes.keys()) this.removeRegex(regex)
    this.#take({ kind: 'target', key: {}, value: null })
    this.#take({ kind: 'group', key: {}, value: null })
  }
}
