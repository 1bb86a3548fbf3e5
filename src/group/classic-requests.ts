// What members of classic groups ask of their coordinator: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, DescribeGroups.

import type { ErrorName } from '../../protocol/errors.ts'
import type { HeartbeatRequest, JoinRequest, Leaver, SyncRequest } from './classic-group.ts'
import { ClassicGroup } from './classic-group.ts'
import { ClassicMembers } from './classic-members.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { Described } from './group.ts'
import type { JoinAnswer, SyncAnswer } from './member.ts'
import { joinRefused, syncRefused } from './member.ts'
import type { Roster } from './roster.ts'

export class ClassicRequests {
  readonly #roster: Roster
  /** For groups of the new protocol that have members of this one. */
  readonly #members: ClassicMembers

  constructor(roster: Roster) {
    this.#roster = roster
    this.#members = new ClassicMembers(roster)
  }

  /** The group, if the requests of classic members are for it. */
  #find(id: string): ClassicGroup | undefined {
    const group = this.#roster.find(id)
    return group instanceof ClassicGroup ? group : undefined
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { groupId, memberId, sessionTimeoutMs } = request
    if (groupId === '') return joinRefused('INVALID_GROUP_ID', memberId)
    const { config } = this.#roster
    if (
      sessionTimeoutMs < config['group.min.session.timeout.ms'] ||
      sessionTimeoutMs > config['group.max.session.timeout.ms']
    )
      return joinRefused('INVALID_SESSION_TIMEOUT', memberId)
    const closed = this.#roster.gate(groupId)
    if (closed !== 'NONE') return joinRefused(closed, memberId)
    if (this.#roster.find(groupId) instanceof ConsumerGroup) {
      const answer = await this.#members.join(request)
      const group = this.#roster.find(groupId)
      if (answer === undefined) return this.join(request)
      // Its coming was the end of the new protocol here: it waits with the others for the first generation.
      const isJoining = answer.error === 'NONE' && group instanceof ClassicGroup
      return isJoining ? group.join({ ...request, memberId: answer.memberId }) : answer
    }
    if (memberId !== '' && this.#roster.find(groupId) === undefined) return joinRefused('UNKNOWN_MEMBER_ID', memberId)
    const group = this.#roster.findOrMake(groupId)
    if (!(group instanceof ClassicGroup)) return joinRefused('INCONSISTENT_GROUP_PROTOCOL', memberId)
    const answer = group.join(request)
    if (group.isBlank) this.#roster.remove(groupId)
    return answer
  }

  async sync(request: SyncRequest): Promise<SyncAnswer> {
    const closed = this.#roster.memberGate(request.groupId)
    if (closed !== 'NONE') return syncRefused(closed)
    const group = this.#roster.find(request.groupId)
    if (group instanceof ConsumerGroup) return this.#members.sync(group, request)
    return this.#find(request.groupId)?.sync(request) ?? syncRefused('UNKNOWN_MEMBER_ID')
  }

  heartbeat(request: HeartbeatRequest): ErrorName {
    const closed = this.#roster.memberGate(request.groupId)
    if (closed !== 'NONE') return closed
    const group = this.#roster.find(request.groupId)
    if (group instanceof ConsumerGroup) return this.#members.heartbeat(group, request)
    return this.#find(request.groupId)?.heartbeat(request) ?? 'UNKNOWN_MEMBER_ID'
  }

  /** One error for the request, or one for each member. */
  leave(groupId: string, leavers: readonly Leaver[]): ErrorName | ErrorName[] | Promise<ErrorName | ErrorName[]> {
    const closed = this.#roster.memberGate(groupId)
    if (closed !== 'NONE') return closed
    if (this.#roster.find(groupId) instanceof ConsumerGroup) return this.#members.leave(groupId, leavers)
    const group = this.#find(groupId)
    if (group?.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
    return group?.leave(leavers) ?? leavers.map(() => 'UNKNOWN_MEMBER_ID')
  }

  /** GROUP_ID_NOT_FOUND for a group that is not, or is no classic one. */
  describe(groupId: string): ErrorName | Described {
    const closed = this.#roster.gate(groupId)
    if (closed !== 'NONE') return closed
    const group = this.#find(groupId)
    return group === undefined || group.state === 'Dead' ? 'GROUP_ID_NOT_FOUND' : group.describe()
  }
}
