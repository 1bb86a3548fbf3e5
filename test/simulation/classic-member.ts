// A member of a classic group, as consumers were before KIP-848: joins, is told by the group's leader what to read or is the leader,
// heartbeats, and gives up all it has whenever the group is put together anew.

import { errorName } from '../../protocol/errors.ts'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../protocol/messages/14-sync-group.ts'
import { isOfTheConnection } from '../crash-lab/log-reader.ts'
import { subscription } from '../group/world.ts'
import { type Caller, Lost, Refused } from './caller.ts'
import { type GroupReading, passing, sessionMs } from './group-reading.ts'

/** Nobody is left out because he was slow: sessions end first. */
const rebalanceMs = 30_000
/** A join is answered when all have joined, or are given up. */
const joinMs = rebalanceMs + 10_000
/** What a member is told whose generation is over; it joins again. */
const outdated = new Set(['ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID'])

export class ClassicMember {
  readonly #caller: Caller
  readonly #reading: GroupReading
  readonly #partitions: number
  #memberId = ''
  #generation = -1

  /** `partitions`: how many the topic has. */
  constructor(caller: Caller, reading: GroupReading, partitions: number) {
    this.#caller = caller
    this.#reading = reading
    this.#partitions = partitions
  }

  /** One round of what a consumer does all the time. */
  async poll(): Promise<void> {
    try {
      if (this.#generation < 0) await this.#join()
      else await this.#heartbeat()
      if (this.#generation >= 0) await this.#reading.readAll({ memberId: this.#memberId, epoch: this.#generation })
    } catch (problem) {
      if (problem instanceof Lost || isOfTheConnection(problem)) this.#caller.close()
      else if (problem instanceof Refused && outdated.has(problem.error)) {
        if (problem.error === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
        this.#giveUp()
      } else throw problem
    }
  }

  async leave(): Promise<void> {
    const memberId = this.#memberId
    this.#giveUp()
    this.#memberId = ''
    if (memberId === '') return
    await this.#caller.ask(leaveGroup, 4, { groupId: this.#group, members: [{ memberId }] }).catch(() => {})
  }

  get #group(): string {
    return this.#reading.of.group
  }

  #giveUp(): void {
    this.#reading.turnTo(new Set())
    this.#generation = -1
  }

  /** Whether it was taken. Throws Refused. */
  #isFine(what: string, errorCode: number): boolean {
    if (errorCode === 0) return true
    const said = errorName(errorCode) ?? String(errorCode)
    if (passing.has(said)) return false
    throw new Refused(what, said)
  }

  async #join(): Promise<void> {
    const protocols = [{ name: 'range', metadata: subscription(this.#reading.of.topic) }]
    const body = { groupId: this.#group, sessionTimeoutMs: sessionMs, rebalanceTimeoutMs: rebalanceMs, protocols }
    const asked = { ...body, protocolType: 'consumer', memberId: this.#memberId }
    const joined = await this.#caller.ask(joinGroup, 5, asked, joinMs)
    if (errorName(joined.errorCode) === 'MEMBER_ID_REQUIRED') {
      this.#memberId = joined.memberId
      return
    }
    if (!this.#isFine('JoinGroup', joined.errorCode)) return
    this.#memberId = joined.memberId
    await this.#sync(joined.generationId, joined.leader === joined.memberId ? joined.members : [])
  }

  /** `members`: all of them, for the leader, who says who reads what. */
  async #sync(generationId: number, members: readonly { readonly memberId: string }[]): Promise<void> {
    const all = Array.from({ length: this.#partitions }, (_, i) => i)
    const assignments = members.map(({ memberId }, i) => ({
      memberId,
      assignment: Buffer.from(JSON.stringify(all.filter((partition) => partition % members.length === i))),
    }))
    const sentAt = this.#caller.loop.now
    const body = { groupId: this.#group, generationId, memberId: this.#memberId, assignments }
    const synced = await this.#caller.ask(syncGroup, 3, body, joinMs)
    if (!this.#isFine('SyncGroup', synced.errorCode)) return
    this.#generation = generationId
    const text = synced.assignment.toString()
    this.#reading.turnTo(new Set(text === '' ? [] : (JSON.parse(text) as number[])))
    this.#reading.hold(sentAt)
  }

  async #heartbeat(): Promise<void> {
    const sentAt = this.#caller.loop.now
    const body = { groupId: this.#group, generationId: this.#generation, memberId: this.#memberId }
    const answer = await this.#caller.ask(heartbeat, 3, body)
    if (this.#isFine('Heartbeat', answer.errorCode)) this.#reading.hold(sentAt)
  }
}
