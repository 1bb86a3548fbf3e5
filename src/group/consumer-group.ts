// A consumer group (KIP-848) as the coordinator holds it: the state that its records add up to, and the clocks that run
// for its members. What changes the state is decided elsewhere and adopted here when it is in the log.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Clock, Timer } from '../storage/clock.ts'
import { ConsumerChange } from './consumer-change.ts'
import { consumerRecord } from './consumer-records.ts'
import type { ConsumerMember } from './consumer-state.ts'
import { ConsumerState } from './consumer-state.ts'
import { Deadline } from './deadline.ts'
import type { Committer, Group } from './group.ts'
import { Offsets } from './offsets.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import { countOf, union } from './partitions.ts'
import { namesOf } from './subscription.ts'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

type Environment = {
  readonly clock: Clock
  /** Of consumers; classic members name their own. */
  sessionTimeoutMs(): number
  /** Time is up for a member: it was silent, or has not let go of what it must give back. */
  expired(memberId: string): void
  /** What members call a topic that is stored under this name. */
  called(stored: string): string
}

export class ConsumerGroup implements Group {
  readonly id: string
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly offsets: Offsets
  /** The version of the catalog that the last heartbeat saw; -1: none has come yet. */
  topicsVersion = -1
  readonly #environment: Environment
  readonly #sessions = new Map<string, Deadline>()
  /** Invariant: runs for a member while it is in the state 'unrevoked', from the moment it came into it. */
  readonly #revocations = new Map<string, Timer>()
  /** For members of the classic protocol: the JoinGroup or SyncGroup that must come next. */
  readonly #errands = new Map<string, Timer>()
  #memory: ConsumerState
  #isDead = false

  constructor(id: string, environment: Environment, memory = new ConsumerState(), offsets = new Offsets()) {
    this.id = id
    this.#environment = environment
    this.#memory = memory
    this.offsets = offsets
  }

  get memory(): ConsumerState {
    return this.#memory
  }

  get state(): ConsumerGroupState {
    if (this.#isDead) return 'Dead'
    const { members, epoch, assignmentEpoch } = this.#memory
    if (members.size === 0) return 'Empty'
    if (epoch > assignmentEpoch) return 'Assigning'
    for (const member of members.values())
      if (member.state !== 'stable' || member.epoch !== assignmentEpoch) return 'Reconciling'
    return 'Stable'
  }

  get isEmpty(): boolean {
    return !this.#isDead && this.#memory.members.size === 0
  }

  get isBlank(): boolean {
    return false
  }

  // --- life

  /** The state that a change has led to, now that its records are in the log. */
  adopt(memory: ConsumerState): void {
    this.#memory = memory
    for (const [memberId, session] of this.#sessions) {
      if (memory.members.has(memberId)) continue
      session.cancel()
      this.#sessions.delete(memberId)
      this.clearErrand(memberId)
    }
    for (const member of memory.members.values()) this.#watch(member)
    for (const [memberId, timer] of this.#revocations) {
      if (memory.members.get(memberId)?.state === 'unrevoked') continue
      timer.cancel()
      this.#revocations.delete(memberId)
    }
  }

  #watch(member: ConsumerMember): void {
    if (!this.#sessions.has(member.id)) {
      this.#sessions.set(member.id, new Deadline(this.#environment.clock, () => this.#environment.expired(member.id)))
      this.touch(member.id)
    }
    if (member.state !== 'unrevoked' || this.#revocations.has(member.id)) return
    const { epoch } = member
    const overdue = () => {
      this.#revocations.delete(member.id)
      const now = this.#memory.members.get(member.id)
      if (now?.epoch === epoch && now.state === 'unrevoked') this.#environment.expired(member.id)
    }
    this.#revocations.set(member.id, this.#environment.clock.after(member.rebalanceTimeoutMs, overdue))
  }

  /** The member has shown that it lives. */
  touch(memberId: string): void {
    const classic = this.#memory.members.get(memberId)?.classic
    this.#sessions.get(memberId)?.push(classic?.sessionTimeoutMs ?? this.#environment.sessionTimeoutMs())
  }

  /** A member of the classic protocol must come back with its next request within its rebalance timeout. */
  setErrand(memberId: string): void {
    this.clearErrand(memberId)
    const member = this.#memory.members.get(memberId)
    if (member === undefined) return
    const { clock, expired } = this.#environment
    this.#errands.set(
      memberId,
      clock.after(member.rebalanceTimeoutMs, () => expired(memberId)),
    )
  }

  hasErrand(memberId: string): boolean {
    return this.#errands.has(memberId)
  }

  clearErrand(memberId: string): void {
    this.#errands.get(memberId)?.cancel()
    this.#errands.delete(memberId)
  }

  die(): void {
    this.stop()
    this.#isDead = true
  }

  revive(): void {
    this.#isDead = false
  }

  stop(): void {
    for (const session of this.#sessions.values()) session.cancel()
    this.#sessions.clear()
    for (const timer of [...this.#revocations.values(), ...this.#errands.values()]) timer.cancel()
    this.#revocations.clear()
    this.#errands.clear()
  }

  tombstones(): OffsetsRecord[] {
    const change = new ConsumerChange(this.#memory)
    change.removeGroup()
    return change.records.map((record) => consumerRecord(this.id, record))
  }

  // --- offsets

  admitCommit(committer: Committer): ErrorName {
    if (this.#isDead) return 'COORDINATOR_NOT_AVAILABLE'
    if (committer.generation < 0 && this.isEmpty) return 'NONE'
    const member = this.#memory.members.get(committer.memberId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    if (member.classic !== null) {
      if (!isCurrent(member, committer)) return 'ILLEGAL_GENERATION'
      this.touch(member.id)
      return 'NONE'
    }
    // Before OffsetCommit v9 there were no member epochs, and no word for a stale one.
    if (committer.knowsEpochs === false) return 'UNSUPPORTED_VERSION'
    return isCurrent(member, committer) ? 'NONE' : 'STALE_MEMBER_EPOCH'
  }

  admitTransactionalCommit(committer: Committer): ErrorName {
    const isOutside = committer.memberId === '' && committer.instanceId === null
    if (committer.generation < 0 && isOutside && !this.#isDead) return 'NONE'
    const refusal = this.admitCommit({ ...committer, knowsEpochs: true })
    // TxnOffsetCommit has no word for a stale epoch.
    return refusal === 'STALE_MEMBER_EPOCH' ? 'ILLEGAL_GENERATION' : refusal
  }

  admitFetch({ memberId, generation }: Pick<Committer, 'memberId' | 'generation'>): ErrorName {
    const member = this.#memory.members.get(memberId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    if (member.epoch === generation) return 'NONE'
    return member.classic === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION'
  }

  admitOffsetDelete(): ErrorName {
    return this.#isDead ? 'GROUP_ID_NOT_FOUND' : 'NONE'
  }

  isSubscribed(topic: string): boolean {
    const called = this.#environment.called(topic)
    for (const member of this.#memory.members.values())
      for (const name of namesOf(member, this.#memory)) if (name === called) return true
    return false
  }

  agesSince(topic: string, commitAt: number): number | undefined {
    return this.isSubscribed(topic) ? undefined : commitAt
  }

  // --- as others see it

  /** What a member reads, and what it has not let go of yet. */
  owned(member: ConsumerMember) {
    return countOf(member.revoking) === 0 ? member.assigned : union(member.assigned, member.revoking)
  }
}

/** KIP-1251: an older epoch will do for partitions that the member has had since then. */
function isCurrent(member: ConsumerMember, { generation, partitions }: Committer): boolean {
  if (generation === member.epoch) return true
  if (generation > member.epoch || generation < 0 || partitions === undefined) return false
  return partitions.every(({ topicId, partition }) => {
    const since = topicId === null ? undefined : member.since.get(topicId)?.get(partition)
    return since !== undefined && since <= generation
  })
}
