// What is known of a share group: exactly what its records say. Live changes go through the function that replay uses, on
// a fork of the state that takes its place once the records are in the log.

import type { Partitions } from './partitions.ts'
import { noPartitions, partitionsOf, topicPartitionsOf } from './partitions.ts'
import type { ShareRecord } from './share-records.ts'
import { TargetState } from './target-state.ts'

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

export class ShareState extends TargetState<ShareMember> {
  #known: Partitions = noPartitions
  readonly #names: Map<string, string>

  constructor(of?: ShareState) {
    super(of)
    this.#names = new Map(of?.names)
    if (of === undefined) return
    this.#known = of.known
  }

  /** The partitions whose state is remembered: only these are assigned. */
  get known(): Partitions {
    return this.#known
  }

  /** Names of the topics in `known`, by id. */
  get names(): ReadonlyMap<string, string> {
    return this.#names
  }

  apply(record: ShareRecord): void {
    switch (record.kind) {
      case 'group':
      case 'target':
      case 'targetMember':
        this.applyCommon(record)
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
    const member = this.byId.get(memberId)
    if (record.kind === 'member') {
      if (record.value === null) this.byId.delete(memberId)
      else {
        const { rackId, clientId, clientHost, subscribedTopicNames: topics } = record.value
        this.byId.set(memberId, { ...(member ?? newcomer(memberId)), rackId, clientId, clientHost, topics })
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
      this.byId.set(memberId, { ...(member ?? newcomer(memberId)), ...of })
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
