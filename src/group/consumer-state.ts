// What is known of a consumer group: exactly what its records say. Live changes go through the function that replay uses,
// on a fork of the state that takes its place once the records are in the log.

import type { ConsumerRecord, CurrentValue, MemberValue } from './consumer-records.ts'
import type { Partitions } from './partitions.ts'
import { each, noPartitions, partitionsOf, union } from './partitions.ts'
import { TargetState } from './target-state.ts'

/**
 * Where a member is on its way to its target (codes of the records):
 *   stable       has all that its epoch entitles it to
 *   unrevoked    must give partitions back before it comes to the next epoch
 *   unreleased   is in the new epoch, and waits for partitions that others still hold
 */
export const memberStates = { stable: 0, unrevoked: 1, unreleased: 2 } as const
export type MemberState = keyof typeof memberStates

/** A static member that has left for a while holds its partitions under this epoch (KIP-345, KIP-848). */
export const leftForAWhile = -2

export type ClassicPart = NonNullable<MemberValue['classicMemberMetadata']>

export type ConsumerMember = {
  readonly id: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly topics: readonly string[]
  /** Null, or '': none. */
  readonly regex: string | null
  readonly rebalanceTimeoutMs: number
  /** Null: whatever the group prefers. */
  readonly assignor: string | null
  /** Set for a member that speaks the classic protocol. */
  readonly classic: ClassicPart | null
  readonly epoch: number
  /** The epoch before, from which a member that missed our last answer may still beat. */
  readonly previousEpoch: number
  readonly state: MemberState
  readonly assigned: Partitions
  /** Still the member's until it says that it has let go of them. */
  readonly revoking: Partitions
  /** KIP-1251: since which epoch it has each partition. */
  readonly since: ReadonlyMap<string, ReadonlyMap<number, number>>
}

export type ResolvedRegex = { readonly topics: readonly string[]; readonly version: number; readonly at: number }

const isNobody = {
  epoch: 0,
  previousEpoch: 0,
  state: 'stable',
  assigned: noPartitions,
  revoking: noPartitions,
} as const

const newcomer = (id: string): ConsumerMember => ({
  id,
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  topics: [],
  regex: null,
  rebalanceTimeoutMs: -1,
  assignor: null,
  classic: null,
  ...isNobody,
  since: new Map(),
})

export class ConsumerState extends TargetState<ConsumerMember> {
  readonly #regexes: Map<string, ResolvedRegex>
  /** Worked out when somebody asks; members that change end it. */
  #owners: ReadonlyMap<string, ReadonlyMap<number, string>> | undefined
  #instances: ReadonlyMap<string, string> | undefined

  constructor(of?: ConsumerState) {
    super(of)
    this.#regexes = new Map(of?.regexes)
    if (of === undefined) return
    this.#owners = of.#owners
    this.#instances = of.#instances
  }

  get regexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#regexes
  }

  /** The member that reads the partition, or has not said yet that it has stopped. */
  owner(topicId: string, partition: number): string | undefined {
    this.#owners ??= ownersOf(this.byId.values())
    return this.#owners.get(topicId)?.get(partition)
  }

  /** The member that holds a static instance. */
  holder(instanceId: string): ConsumerMember | undefined {
    this.#instances ??= instancesOf(this.byId.values())
    const id = this.#instances.get(instanceId)
    return id === undefined ? undefined : this.byId.get(id)
  }

  fork(): ConsumerState {
    return new ConsumerState(this)
  }

  apply(record: ConsumerRecord): void {
    switch (record.kind) {
      case 'group':
      case 'target':
      case 'targetMember':
        this.applyCommon(record)
        break
      case 'regex': {
        const { regularExpression } = record.key
        if (record.value === null) this.#regexes.delete(regularExpression)
        else this.#regexes.set(regularExpression, resolved(record.value))
        break
      }
      default:
        this.#applyMember(record)
    }
  }

  /** A member is two records: what it has said, and what it has. It goes with the former. */
  #applyMember(record: Extract<ConsumerRecord, { kind: 'member' | 'current' }>): void {
    const { memberId } = record.key
    const member = this.byId.get(memberId)
    this.#owners = undefined
    if (record.kind === 'member') {
      this.#instances = undefined
      if (record.value === null) this.byId.delete(memberId)
      else this.byId.set(memberId, { ...(member ?? newcomer(memberId)), ...introduced(record.value) })
    } else if (member !== undefined || record.value !== null) {
      const of = record.value === null ? { ...isNobody, since: new Map() } : current(record.value)
      this.byId.set(memberId, { ...(member ?? newcomer(memberId)), ...of })
    }
  }
}

const resolved = ({ topics, version, timestamp }: { topics: string[]; version: number; timestamp: number }) => ({
  topics,
  version,
  at: timestamp,
})

const introduced = (value: MemberValue) => ({
  instanceId: value.instanceId,
  rackId: value.rackId,
  clientId: value.clientId,
  clientHost: value.clientHost,
  topics: value.subscribedTopicNames,
  regex: value.subscribedTopicRegex,
  rebalanceTimeoutMs: value.rebalanceTimeoutMs,
  assignor: value.serverAssignor,
  classic: value.classicMemberMetadata,
})

const stateOf = (code: number): MemberState =>
  code === memberStates.unrevoked ? 'unrevoked' : code === memberStates.unreleased ? 'unreleased' : 'stable'

function current(value: CurrentValue) {
  const since = new Map<string, Map<number, number>>()
  for (const { topicId, partitions, assignmentEpochs } of [
    ...value.assignedPartitions,
    ...value.partitionsPendingRevocation,
  ]) {
    const epochs = since.get(topicId) ?? new Map<number, number>()
    for (const [i, partition] of partitions.entries()) epochs.set(partition, assignmentEpochs?.[i] ?? value.memberEpoch)
    since.set(topicId, epochs)
  }
  return {
    epoch: value.memberEpoch,
    previousEpoch: value.previousMemberEpoch,
    state: stateOf(value.state),
    assigned: partitionsOf(value.assignedPartitions),
    revoking: partitionsOf(value.partitionsPendingRevocation),
    since,
  }
}

function ownersOf(members: Iterable<ConsumerMember>): Map<string, Map<number, string>> {
  const owners = new Map<string, Map<number, string>>()
  for (const { id, assigned, revoking } of members)
    for (const [topicId, partition] of each(union(assigned, revoking))) {
      const of = owners.get(topicId) ?? new Map<number, string>()
      owners.set(topicId, of.set(partition, id))
    }
  return owners
}

function instancesOf(members: Iterable<ConsumerMember>): Map<string, string> {
  const instances = new Map<string, string>()
  for (const { id, instanceId } of members) if (instanceId !== null) instances.set(instanceId, id)
  return instances
}
