// What consumer and share groups know alike, from records of the same shape: the epoch of the group, its members, and the
// assignment that they are on their way to.

import { noPartitions, type Partitions, partitionsOf } from './partitions.ts'

type TopicPartitions = Parameters<typeof partitionsOf>[0]

/** Records that mean the same to groups of both types. */
type CommonRecord =
  | { readonly kind: 'group'; readonly value: { readonly epoch: number; readonly metadataHash: number } | null }
  | {
      readonly kind: 'target'
      readonly value: { readonly assignmentEpoch: number; readonly assignmentTimestamp: number } | null
    }
  | {
      readonly kind: 'targetMember'
      readonly key: { readonly memberId: string }
      readonly value: { readonly topicPartitions: TopicPartitions } | null
    }

export class TargetState<Member> {
  #epoch = 0
  #metadataHash = 0
  #assignmentEpoch = 0
  #assignmentAt = 0
  readonly #targets: Map<string, Partitions>
  protected readonly byId: Map<string, Member>

  constructor(of?: TargetState<Member>) {
    this.byId = new Map(of?.byId)
    this.#targets = new Map(of?.targets)
    if (of === undefined) return
    this.#epoch = of.epoch
    this.#metadataHash = of.metadataHash
    this.#assignmentEpoch = of.assignmentEpoch
    this.#assignmentAt = of.assignmentAt
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

  get members(): ReadonlyMap<string, Member> {
    return this.byId
  }

  get targets(): ReadonlyMap<string, Partitions> {
    return this.#targets
  }

  target(memberId: string): Partitions {
    return this.#targets.get(memberId) ?? noPartitions
  }

  protected applyCommon(record: CommonRecord): void {
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
    }
  }
}
