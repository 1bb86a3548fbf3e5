// The requests of the classic protocol where the group is a consumer group: each is decided against what the log holds, as
// a heartbeat of the new protocol is.

import type { ErrorName } from '../../protocol/errors.ts'
import { randomId } from '../storage/clock.ts'
import type { HeartbeatRequest, JoinRequest, Leaver, SyncRequest } from './classic-group.ts'
import { ConsumerChange } from './consumer-change.ts'
import { join, mustRejoin, refuse, sync } from './consumer-classic.ts'
import { concluded, undecided } from './consumer-decision.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { removeMembers, unseen } from './consumer-progress.ts'
import type { ConsumerState } from './consumer-state.ts'
import type { Decision } from './journal.ts'
import type { JoinAnswer, SyncAnswer } from './member.ts'
import { joinRefused } from './member.ts'
import { refusalOf } from './refusal.ts'
import type { Roster } from './roster.ts'

export class ClassicMembers {
  readonly #roster: Roster

  constructor(roster: Roster) {
    this.#roster = roster
  }

  #find(groupId: string): ConsumerGroup | undefined {
    const group = this.#roster.find(groupId)
    return group instanceof ConsumerGroup && group.state !== 'Dead' ? group : undefined
  }

  /** Undefined: by the time of the decision the group is none of consumers any more; ask it again. */
  async join(request: JoinRequest): Promise<JoinAnswer | undefined> {
    // Here as where consumers of the new protocol ask for a name: without that of the client in it.
    const memberId = request.memberId === '' ? randomId(this.#roster.clock) : request.memberId
    try {
      return await this.#roster.decide(request.groupId, () => this.#join(request, memberId))
    } catch (error) {
      return joinRefused(refusalOf(error), request.memberId)
    }
  }

  #join(request: JoinRequest, memberId: string): Decision<JoinAnswer | undefined> {
    const { groupId } = request
    const group = this.#find(groupId)
    if (group === undefined) return undecided(undefined)
    // Nobody is left whose protocol would have to be kept.
    if (group.isEmpty && request.memberId !== '') return undecided(joinRefused('UNKNOWN_MEMBER_ID', request.memberId))
    if (group.isEmpty) return this.#makeClassic(group)
    if (this.#roster.config['group.consumer.migration.policy'].toLowerCase() === 'disabled')
      return undecided(joinRefused('INCONSISTENT_GROUP_PROTOCOL', request.memberId))
    const change = new ConsumerChange(group.memory)
    const answer = join(change, request, memberId, this.#roster.circumstances(groupId))
    if (answer.error !== 'NONE') return undecided(answer)
    const then = () => {
      group.touch(memberId)
      group.setErrand(memberId)
    }
    return concluded(this.#roster, group, change, answer, { then })
  }

  #makeClassic(group: ConsumerGroup): Decision<undefined> {
    const apply = () => {
      group.die()
      this.#roster.put(this.#roster.newClassic(group.id, group.offsets))
    }
    return { records: group.tombstones(), apply, answer: undefined }
  }

  sync(group: ConsumerGroup, request: SyncRequest): SyncAnswer {
    const answer = sync(group.memory, request, this.#roster.circumstances(group.id).catalog)
    if (answer.error !== 'NONE') return answer
    group.clearErrand(request.memberId)
    group.touch(request.memberId)
    return answer
  }

  heartbeat(group: ConsumerGroup, request: HeartbeatRequest): ErrorName {
    const refusal = refuse(group.memory, request)
    if (refusal !== 'NONE') return refusal
    group.touch(request.memberId)
    if (!mustRejoin(group.memory, group.memory.members.get(request.memberId)!)) return 'NONE'
    if (!group.hasErrand(request.memberId)) group.setErrand(request.memberId)
    return 'REBALANCE_IN_PROGRESS'
  }

  async leave(groupId: string, leavers: readonly Leaver[]): Promise<ErrorName | ErrorName[]> {
    try {
      return await this.#roster.decide(groupId, () => this.#leave(groupId, leavers))
    } catch (error) {
      return refusalOf(error)
    }
  }

  #leave(groupId: string, leavers: readonly Leaver[]): Decision<ErrorName | ErrorName[]> {
    const group = this.#find(groupId)
    if (group === undefined) return undecided('COORDINATOR_NOT_AVAILABLE')
    const gone = new Set<string>()
    const answers = leavers.map((leaver) => {
      const found = leaverOf(group.memory, leaver)
      if ('error' in found) return found.error
      gone.add(found.id)
      return 'NONE'
    })
    if (gone.size === 0) return undecided(answers)
    const change = new ConsumerChange(group.memory)
    removeMembers(change, [...gone], unseen(group.memory, this.#roster.circumstances(groupId)))
    return concluded(this.#roster, group, change, answers)
  }
}

function leaverOf(state: ConsumerState, { memberId, instanceId }: Leaver): { id: string } | { error: ErrorName } {
  // Whatever protocol a member speaks. An administrator removes static members without knowing their ids.
  const holder = instanceId === null ? undefined : state.holder(instanceId)
  if (instanceId !== null && holder === undefined) return { error: 'UNKNOWN_MEMBER_ID' }
  if (holder !== undefined && memberId === '') return holder
  if (holder !== undefined && holder.id !== memberId) return { error: 'FENCED_INSTANCE_ID' }
  return state.members.get(memberId) ?? { error: 'UNKNOWN_MEMBER_ID' }
}
