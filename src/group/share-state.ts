// What is known of a share group: exactly what its records say. Live changes go through the function that replay uses, on
// a fork of the state that takes its place once the records are in the log.

import type { Partitions } from './partitions.ts'
import { noPartitions, partitionsOf, topicPartitionsOf } from './partitions.ts'
import type { ShareRecord } from './share-records.ts'

export type ShareMember = {
  readonly id: string
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly topics: readonly string[]
  /** 0: it has not been told anything yet. */
  readonly epoch: number
  /** From which a member that missed our last answer may still beat. */
  readonly previousEpoch: number
  readonly assigned: Partitions
}

/** Kafka's code for the only state in which a member of a share group can be: it gives nothing back. */
const stable = 1

const isNobody = { epoch: 0, previousEpoch: 0, assigned: noPartitions } as const
const newcomer = (id: string): ShareMember => ({
  id,
  rackId: null,
  clientId: '',
  clientHost: '',
  topics: [],
  ...isNobody,
})

export class ShareState {
  #epoch = 0
  #metadataHash = 0
  #assignmentEpoch = 0
  #assignmentAt = 0
  #known: Partitions = noPartitions
  readonly #names: Map<string, string>
  readonly #members: Map<string, ShareMember>
  readonly #targets: Map<string, Partitions>

  constructor(of?: ShareState) {
    this.#members = new Map(of?.members)
    this.#targets = new Map(of?.targets)
    this.#names = new Map(of?.names)
    if (of === undefined) return
    this.#epoch = of.epoch
    this.#metadataHash = of.metadataHash
    this.#assignmentEpoch = of.assignmentEpoch
    this.#assignmentAt = of.assignmentAt
    this.#known = of.known
  }

  /** Bumped by every change that asks for a new assignment. 0: the group is not. */
  get epoch(): number {
    return this.#epoch
  }

  get metadataHash(): number {
    return this.#metadataHash
  }

  /** The group epoch that the target was worked out for. Invariant: never above `epoch`. */
  get assignmentEpoch(): number {
    return this.#assignmentEpoch
  }

  get assignmentAt(): number {
    return this.#assignmentAt
  }

  /** The partitions whose state is remembered: only these are assigned. */
  get known(): Partitions {
    return this.#known
  }

  /** Names of the topics in `known`, by id. */
  get names(): ReadonlyMap<string, string> {
    return this.#names
  }

  get members(): ReadonlyMap<string, ShareMember> {
    return this.#members
  }

  get targets(): ReadonlyMap<string, Partitions> {
    return this.#targets
  }

  target(memberId: string): Partitions {
    return this.#targets.get(memberId) ?? noPartitions
  }

  apply(record: ShareRecord): void {
    switch (record.kind) {
      case 'group':
        this.#epoch = record.value?.epoch ?? 0
        this.#metadataHash = record.value?.metadataHash ?? 0
        break
      case 'target':
        this.#assignmentEpoch = record.value?.assignmentEpoch ?? 0
        this.#assignmentAt = record.value?.assignmentTimestamp ?? 0
        break
      case 'targetMember':
        if (record.value === null) this.#targets.delete(record.key.memberId)
        else this.#targets.set(record.key.memberId, partitionsOf(record.value.topicPartitions))
        break
      case 'known': {
        const topics = record.value?.initializedTopics ?? []
        this.#known = partitionsOf(topics)
        this.#names.clear()
        for (const { topicId, topicName } of topics) this.#names.set(topicId, topicName)
        break
      }
      default:
        this.#applyMember(record)
    }
  }

  /** A member is two records: what it has said, and what it has. It goes with the former. */
  #applyMember(record: Extract<ShareRecord, { kind: 'member' | 'current' }>): void {
    const { memberId } = record.key
    const member = this.#members.get(memberId)
    if (record.kind === 'member') {
      if (record.value === null) this.#members.delete(memberId)
      else {
        const { rackId, clientId, clientHost, subscribedTopicNames: topics } = record.value
        this.#members.set(memberId, { ...(member ?? newcomer(memberId)), rackId, clientId, clientHost, topics })
      }
    } else if (member !== undefined || record.value !== null) {
      const { value } = record
      const of =
        value === null
          ? isNobody
          : {
              epoch: value.memberEpoch,
              previousEpoch: value.previousMemberEpoch,
              assigned: partitionsOf(value.assignedPartitions),
            }
      this.#members.set(memberId, { ...(member ?? newcomer(memberId)), ...of })
    }
  }
}

/** A change as it is being decided: the records in the order in which they will be written, and where they lead. */
export class ShareChange {
  readonly before: ShareState
  readonly records: ShareRecord[] = []
  #state: ShareState

  constructor(before: ShareState) {
    this.before = before
    this.#state = before
  }

  /** With all that has been decided so far. */
  get state(): ShareState {
    return this.#state
  }

  #take(record: ShareRecord): void {
    if (this.#state === this.before) this.#state = new ShareState(this.before)
    this.#state.apply(record)
    this.records.push(record)
  }

  setEpoch(epoch: number, metadataHash: number): void {
    this.#take({ kind: 'group', key: {}, value: { epoch, metadataHash } })
  }

  setMember({ id: memberId, rackId, clientId, clientHost, topics }: Omit<ShareMember, keyof typeof isNobody>): void {
    const value = { rackId, clientId, clientHost, subscribedTopicNames: [...topics] }
    this.#take({ kind: 'member', key: { memberId }, value })
  }

  setTargetEpoch(assignmentEpoch: number, assignmentTimestamp: number): void {
    this.#take({ kind: 'target', key: {}, value: { assignmentEpoch, assignmentTimestamp } })
  }

  setTarget(memberId: string, target: Partitions): void {
    this.#take({ kind: 'targetMember', key: { memberId }, value: { topicPartitions: topicPartitionsOf(target) } })
  }

  setCurrent(memberId: string, { epoch, previousEpoch, assigned }: Pick<ShareMember, keyof typeof isNobody>): void {
    const value = {
      memberEpoch: epoch,
      previousMemberEpoch: previousEpoch,
      state: stable,
      assignedPartitions: topicPartitionsOf(assigned),
    }
    this.#take({ kind: 'current', key: { memberId }, value })
  }

  setKnown(known: Partitions, nameOf: (topicId: string) => string): void {
    const initializedTopics = topicPartitionsOf(known).map((of) => ({ ...of, topicName: nameOf(of.topicId) }))
    this.#take({ kind: 'known', key: {}, value: { initializingTopics: [], initializedTopics, deletingTopics: [] } })
  }

  removeMember(memberId: string): void {
    this.#take({ kind: 'current', key: { memberId }, value: null })
    if (this.#state.targets.has(memberId)) this.#take({ kind: 'targetMember', key: { memberId }, value: null })
    this.#take({ kind: 'member', key: { memberId }, value: null })
  }

  removeGroup(): void {
    for (const memberId of [...this.#state.members.keys()]) this.removeMember(memberId)
    this.#take({ kind: 'target', key: {}, value: null })
    this.#take({ kind: 'known', key: {}, value: null })
    this.#take({ kind: 'group', key: {}, value: null })
  }
}
