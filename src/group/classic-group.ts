// A classic group at the door: who may join, sync, beat, leave and commit, and what the others are told.
// How the group then moves on is rebalance.ts.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Clock } from '../storage/clock.ts'
import type { Committer, Described, Group } from './group.ts'
import type { Introduction, JoinAnswer, SyncAnswer } from './member.ts'
import { joinRefused, Member, newMemberId, noBytes, restoredMember, syncRefused } from './member.ts'
import { consumerProtocolType, Membership } from './membership.ts'
import type { ClassicRemains } from './migration.ts'
import { Offsets } from './offsets.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import type { Assignments, ClassicState } from './rebalance.ts'
import { Rebalance } from './rebalance.ts'
import type { GroupMetadata, GroupMetadataDraft } from './records.ts'
import { groupTombstone } from './records.ts'
import { refusalOf } from './refusal.ts'

export type JoinRequest = Introduction & {
  readonly groupId: string
  /** Empty: the member has none yet. */
  readonly memberId: string
  readonly protocolType: string
  /** KIP-394 (JoinGroup v4): a member without id is given one and must come back with it. */
  readonly idFirst: boolean
  /** KIP-814 (JoinGroup v9): a static leader that returns can be told not to assign. */
  readonly canSkipAssignment: boolean
}

export type SyncRequest = {
  readonly groupId: string
  readonly generation: number
  readonly memberId: string
  readonly instanceId: string | null
  /** Null: not checked (before SyncGroup v5). */
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export type HeartbeatRequest = Committer & { readonly groupId: string }

export type Leaver = { readonly memberId: string; readonly instanceId: string | null }

type Environment = {
  readonly clock: Clock
  readonly initialDelayMs: number
  readonly membersMax: number
  store(metadata: GroupMetadataDraft, apply: () => void): Promise<void>
  /** What members call a topic that is stored under this name. */
  called(stored: string): string
}

export class ClassicGroup implements Group {
  readonly id: string
  readonly type = 'classic'
  readonly offsets: Offsets
  readonly #environment: Environment
  readonly #membership = new Membership()
  readonly #rebalance: Rebalance
  #emptySince = 0

  constructor(id: string, environment: Environment, offsets: Offsets = new Offsets()) {
    this.id = id
    this.offsets = offsets
    this.#environment = environment
    this.#rebalance = new Rebalance(this.#membership, {
      clock: environment.clock,
      initialDelayMs: environment.initialDelayMs,
      store: (assignments, apply) => environment.store(this.#metadata(assignments), apply),
    })
  }

  get state(): ClassicState {
    return this.#rebalance.state
  }

  get protocolType(): string {
    return this.#membership.protocolType ?? ''
  }

  get generation(): number {
    return this.#membership.generation
  }

  get leader(): string | null {
    return this.#membership.leader
  }

  get isEmpty(): boolean {
    return this.state === 'Empty'
  }

  get isBlank(): boolean {
    const isNew = this.isEmpty && this.generation === 0
    return isNew && this.#rebalance.expectedCount === 0 && this.offsets.isEmpty
  }

  // --- JoinGroup

  join(request: JoinRequest): Promise<JoinAnswer> {
    const refusal = this.#refuseJoin(request)
    if (refusal !== undefined) return Promise.resolve(refusal)
    return request.memberId === '' ? this.#joinNew(request) : this.#joinKnown(request)
  }

  #refuseJoin(request: JoinRequest): JoinAnswer | undefined {
    const { memberId, protocolType, protocols } = request
    if (!this.#hasRoom(memberId)) return this.#turnAway(memberId)
    if (this.state === 'Dead') return joinRefused('COORDINATOR_NOT_AVAILABLE', memberId)
    if (!this.#membership.accepts(protocolType, protocols)) return joinRefused('INCONSISTENT_GROUP_PROTOCOL', memberId)
    if (memberId === '' || this.#rebalance.isExpected(memberId)) return undefined
    const unknown = this.#unknown(memberId, request.instanceId)
    return unknown === 'NONE' ? undefined : joinRefused(unknown, memberId)
  }

  /** group.max.size. During a rebalance places belong to those who come first. */
  #hasRoom(memberId: string): boolean {
    const { membersMax } = this.#environment
    const member = this.#membership.get(memberId)
    switch (this.state) {
      case 'PreparingRebalance':
        return member?.isJoining === true || this.#rebalance.joiningCount < membersMax
      case 'CompletingRebalance':
      case 'Stable':
        return member !== undefined || this.#membership.size < membersMax
      default:
        return true
    }
  }

  #turnAway(memberId: string): JoinAnswer {
    const member = this.#membership.get(memberId)
    if (member !== undefined) this.#rebalance.lose([member])
    else if (this.#rebalance.isExpected(memberId)) {
      // It will not come any more, and the others do not wait for it.
      this.#rebalance.unexpect(memberId)
      this.#rebalance.reconsider()
    }
    return joinRefused('GROUP_MAX_SIZE_REACHED', '')
  }

  #joinNew(request: JoinRequest): Promise<JoinAnswer> {
    const { instanceId } = request
    const holder = instanceId === null ? undefined : this.#membership.holder(instanceId)
    if (holder !== undefined) return this.#returnStatic(this.#membership.get(holder)!, request)
    const memberId = newMemberId(request, this.#environment.clock)
    if (instanceId !== null || !request.idFirst) return this.#add(memberId, request)
    this.#rebalance.expect(memberId, request.sessionTimeoutMs)
    return Promise.resolve(joinRefused('MEMBER_ID_REQUIRED', memberId))
  }

  #add(memberId: string, request: JoinRequest): Promise<JoinAnswer> {
    if (this.#membership.size === 0) this.#membership.protocolType = request.protocolType
    return this.#rebalance.add(new Member(memberId, request))
  }

  #joinKnown(request: JoinRequest): Promise<JoinAnswer> {
    if (this.#rebalance.isExpected(request.memberId)) return this.#add(request.memberId, request)
    const member = this.#membership.get(request.memberId)!
    this.#rebalance.touch(member)
    if (this.#isRepeated(member, request)) return Promise.resolve(this.#rebalance.joined(member))
    member.introduce(request)
    return this.#rebalance.join(member)
  }

  /** The answer to its join got lost. A leader that joins a stable group wants a rebalance (new partitions, KIP-429). */
  #isRepeated(member: Member, { protocols }: JoinRequest): boolean {
    if (!member.hasProtocols(protocols)) return false
    if (this.state === 'CompletingRebalance') return true
    return this.state === 'Stable' && this.#membership.leader !== member.id
  }

  /** KIP-345: the holder of a static instance came back without its id. Who used the old id is fenced. */
  #returnStatic(member: Member, request: JoinRequest): Promise<JoinAnswer> {
    const leaderBefore = this.#membership.leader!
    member.answerJoin(joinRefused('FENCED_INSTANCE_ID', member.id))
    member.answerSync(syncRefused('FENCED_INSTANCE_ID'))
    this.#membership.rename(member, newMemberId(request, this.#environment.clock))
    member.introduce(request)
    this.#rebalance.touch(member)
    const changesNothing = this.state === 'Stable' && this.#membership.electProtocol() === this.#membership.protocol
    return changesNothing ? this.#resume(member, request, leaderBefore) : this.#rebalance.join(member)
  }

  /** No rebalance: the generation goes on, and the member fetches the assignment it had with SyncGroup. */
  async #resume(member: Member, request: JoinRequest, leaderBefore: string): Promise<JoinAnswer> {
    const answer = this.#rebalance.joined(member)
    try {
      await this.#environment.store(this.#metadata(), () => {})
    } catch (error) {
      return joinRefused(refusalOf(error), '')
    }
    if (this.state !== 'Stable' || this.generation !== answer.generation)
      return this.#overtaken(member, answer.memberId)
    if (request.canSkipAssignment) return { ...answer, skipAssignment: answer.leader === answer.memberId }
    // Told that it leads, an older client would assign, and nobody would rebalance: it is told its former id leads.
    return { ...answer, leader: leaderBefore, members: [] }
  }

  /** The generation ended while its record was on its way: whoever still holds the instance joins the next one. */
  #overtaken(member: Member, memberId: string): Promise<JoinAnswer> | JoinAnswer {
    if (this.#membership.get(member.id) !== member) return joinRefused('UNKNOWN_MEMBER_ID', '')
    return member.id === memberId ? this.#rebalance.join(member) : joinRefused('FENCED_INSTANCE_ID', memberId)
  }

  // --- SyncGroup

  sync(request: SyncRequest): Promise<SyncAnswer> {
    const refusal = this.#refuseSync(request)
    if (refusal !== 'NONE') return Promise.resolve(syncRefused(refusal))
    const member = this.#membership.get(request.memberId)!
    this.#rebalance.synced(member)
    const { protocolType, protocol, leader } = this.#membership
    if (this.state === 'Stable')
      return Promise.resolve({ error: 'NONE', protocolType, protocol, assignment: member.assignment })
    const answer = member.parkSync()
    if (leader === member.id) this.#rebalance.assign(copiedAssignments(request.assignments))
    return answer
  }

  #refuseSync({ generation, memberId, instanceId, protocolType, protocol }: SyncRequest): ErrorName {
    const refusal = this.#refuseMember({ generation, memberId, instanceId })
    if (refusal !== 'NONE') return refusal
    const membership = this.#membership
    if (protocolType !== null && protocolType !== membership.protocolType) return 'INCONSISTENT_GROUP_PROTOCOL'
    if (protocol !== null && membership.protocol !== null && protocol !== membership.protocol)
      return 'INCONSISTENT_GROUP_PROTOCOL'
    return this.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** NONE for a member of the current generation. */
  #refuseMember({ generation, memberId, instanceId }: Committer): ErrorName {
    if (this.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    const unknown = this.#unknown(memberId, instanceId)
    if (unknown !== 'NONE') return unknown
    return generation === this.generation ? 'NONE' : 'ILLEGAL_GENERATION'
  }

  #unknown(memberId: string, instanceId: string | null): ErrorName {
    if (instanceId === null) return this.#membership.get(memberId) === undefined ? 'UNKNOWN_MEMBER_ID' : 'NONE'
    const holder = this.#membership.holder(instanceId)
    if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
    return holder === memberId ? 'NONE' : 'FENCED_INSTANCE_ID'
  }

  // --- Heartbeat, LeaveGroup

  heartbeat(request: HeartbeatRequest): ErrorName {
    const refusal = this.#refuseMember(request)
    if (refusal !== 'NONE') return refusal
    this.#rebalance.touch(this.#membership.get(request.memberId)!)
    return this.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  /** One answer for each; the group rebalances once for all. */
  leave(leavers: readonly Leaver[]): ErrorName[] {
    if (this.state === 'Dead') return leavers.map(() => 'COORDINATOR_NOT_AVAILABLE')
    const gone = new Set<Member>()
    const answers = leavers.map((leaver) => this.#leave(leaver, gone))
    this.#rebalance.lose([...gone])
    this.#rebalance.reconsider()
    return answers
  }

  #leave({ memberId, instanceId }: Leaver, gone: Set<Member>): ErrorName {
    if (instanceId === null && this.#rebalance.isExpected(memberId)) {
      this.#rebalance.unexpect(memberId)
      return 'NONE'
    }
    // An administrator removes static members without knowing their ids.
    const holder = memberId === '' && instanceId !== null ? this.#membership.holder(instanceId) : undefined
    const unknown = this.#unknown(holder ?? memberId, instanceId)
    if (unknown !== 'NONE') return memberId === '' ? 'UNKNOWN_MEMBER_ID' : unknown
    const member = this.#membership.get(holder ?? memberId)!
    if (gone.has(member)) return 'UNKNOWN_MEMBER_ID'
    gone.add(member)
    return 'NONE'
  }

  // --- offsets

  admitCommit(committer: Committer): ErrorName {
    if (this.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    if (committer.generation < 0 && this.isEmpty) return 'NONE'
    // Somebody outside would overwrite what the members have reached.
    const isOutside = committer.generation < 0 && committer.memberId === '' && committer.instanceId === null
    if (isOutside) return 'UNKNOWN_MEMBER_ID'
    const refusal = this.#refuseMember(committer)
    if (refusal !== 'NONE') return refusal
    if (this.state === 'CompletingRebalance') return 'REBALANCE_IN_PROGRESS'
    this.#rebalance.touch(this.#membership.get(committer.memberId)!)
    return 'NONE'
  }

  /** What a rebalance means for a transaction is for its generation to tell; the session is the consumer's to keep. */
  admitTransactionalCommit(committer: Committer): ErrorName {
    if (this.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    const isOutside = committer.memberId === '' && committer.instanceId === null
    if (committer.generation < 0 && (isOutside || this.isEmpty)) return 'NONE'
    return this.#refuseMember(committer)
  }

  admitOffsetDelete(): ErrorName {
    if (this.state === 'Dead') return 'GROUP_ID_NOT_FOUND'
    return this.isEmpty || this.protocolType === consumerProtocolType ? 'NONE' : 'NON_EMPTY_GROUP'
  }

  /** Members whose subscriptions cannot be read may be subscribed to anything. */
  isSubscribed(topic: string): boolean {
    if (this.isEmpty || this.state === 'Dead') return false
    return this.#membership.subscribedTopics()?.has(this.#environment.called(topic)) ?? true
  }

  /** KIP-211: offsets age from when the group lost its last member; those of no group from their commit. */
  agesSince(topic: string, commitAt: number): number | undefined {
    if (this.isEmpty && this.protocolType === '') return commitAt
    // An administrator may have set the offset after the last member left (the real broker forgets that).
    if (this.isEmpty) return Math.max(commitAt, this.#rebalance.stateAt)
    return this.state === 'Stable' && !this.isSubscribed(topic) ? commitAt : undefined
  }

  // --- as others see it

  describe(): Described {
    const protocol = this.state === 'Stable' ? (this.#membership.protocol ?? '') : ''
    const members = this.#membership.all.map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: this.state === 'Stable' ? member.metadataFor(protocol) : noBytes,
      memberAssignment: member.assignment,
    }))
    return { state: this.state, protocolType: this.protocolType, protocol, members }
  }

  #metadata(assignments?: Assignments): GroupMetadataDraft {
    const { protocolType, generation, protocol, leader, all } = this.#membership
    return {
      protocolType: protocolType ?? '',
      generation,
      protocol,
      leader,
      currentStateTimestamp: this.#rebalance.stateAt,
      members: all.map((member) => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.metadataFor(protocol ?? ''),
        assignment: assignments === undefined ? member.assignment : (assignments.get(member.id) ?? noBytes),
      })),
    }
  }

  /** What the log remembers. Of a member's protocols only the chosen one is known until it joins again. */
  restore(metadata: GroupMetadata): void {
    const membership = this.#membership
    membership.protocolType = metadata.protocolType === '' ? null : metadata.protocolType
    membership.generation = metadata.generation
    membership.protocol = metadata.protocol
    const members = metadata.members.map((of) => restoredMember(of, metadata.protocol))
    this.#rebalance.restore(members, metadata.currentStateTimestamp)
    if (metadata.leader !== null && membership.get(metadata.leader)) membership.leader = metadata.leader
    // Stopped on its way from a group of another type: nobody has agreed on anything yet.
    if (members.length > 0 && metadata.protocol === null) this.#rebalance.regroup()
  }

  tombstones(): OffsetsRecord[] {
    return [groupTombstone(this.id)]
  }

  /** What goes on in a group of another type. */
  get remains(): ClassicRemains {
    const { generation, all: members } = this.#membership
    return { generation, members }
  }

  /** Another group takes over the members; this one answers nobody any more. */
  disband(): void {
    this.#rebalance.disband()
  }

  /** The protocol that was agreed on; null while there is none. */
  get protocol(): string | null {
    return this.#membership.protocol
  }

  /** Takes over the members of a group of another type, and has them join. */
  inherit({ generation, members }: ClassicRemains): void {
    this.#membership.protocolType = consumerProtocolType
    this.#membership.generation = generation
    this.#rebalance.restore(members, this.#environment.clock.now())
    this.#rebalance.regroup()
  }

  die(): void {
    this.#emptySince = this.#rebalance.stateAt
    this.#rebalance.die()
  }

  revive(): void {
    this.#rebalance.revive(this.#emptySince)
  }

  stop(): void {
    this.#rebalance.stop()
  }
}

const copiedAssignments = (assignments: SyncRequest['assignments']): Assignments =>
  new Map(assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]))
