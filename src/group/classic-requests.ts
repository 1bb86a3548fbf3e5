// What members of classic groups ask of their coordinator: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, DescribeGroups.

import type { ErrorName } from '../../protocol/errors.ts'
import type { HeartbeatRequest, JoinRequest, Leaver, SyncRequest } from './classic-group.ts'
import { ClassicGroup } from './classic-group.ts'
import type { Described } from './group.ts'
import type { JoinAnswer, SyncAnswer } from './member.ts'
import { joinRefused, syncRefused } from './member.ts'
import type { Roster } from './roster.ts'

export class ClassicRequests {
  readonly #roster: Roster

  constructor(roster: Roster) {
    this.#roster = roster
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
    return this.#find(request.groupId)?.sync(request) ?? syncRefused('UNKNOWN_MEMBER_ID')
  }

  heartbeat(request: HeartbeatRequest): ErrorName {
    const closed = this.#roster.memberGate(request.groupId)
    if (closed !== 'NONE') return closed
    return this.#find(request.groupId)?.heartbeat(request) ?? 'UNKNOWN_MEMBER_ID'
  }

  /** One error for the request, or one for each member. */
  leave(groupId: string, leavers: readonly Leaver[]): ErrorName | ErrorName[] {
    const closed = this.#roster.memberGate(groupId)
    if (closed !== 'NONE') return closed
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
