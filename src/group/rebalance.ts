// How a classic group gets from one generation to the next: everybody joins, the leader assigns, everybody syncs.
//
//             first member                  all have joined, or time is up
//     Empty ───────────────► Preparing ─────────────────────────────────────► Completing
//       ▲                    ▲   │  ▲                                          │    │
//       └────────────────────┼───┘  └── join, leave, loss, nobody synced ──────┘    │ the leader's
//           nobody is left   └──────────── join, leave, loss ──────── Stable ◄──────┘ assignment is stored
//
// The barrier is a true one: in Preparing nobody is answered before every known member has joined or the longest
// rebalance timeout has passed; who is missing then is no longer a member.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Clock, Timer } from '../storage/clock.ts'
import { Deadline } from './deadline.ts'
import type { JoinAnswer, Member } from './member.ts'
import { joinRefused, noBytes, syncRefused } from './member.ts'
import type { Membership } from './membership.ts'
import { refusalOf } from './refusal.ts'

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export type Assignments = ReadonlyMap<string, Buffer>

type Environment = {
  readonly clock: Clock
  /** Kafka's group.initial.rebalance.delay.ms. */
  readonly initialDelayMs: number
  /** Stores the group as it is, with these assignments; `apply` runs when it is stored, before anything later is. */
  store(assignments: Assignments, apply: () => void): Promise<void>
}

/**
 * A member that joins for the first time does not know its id yet: if its client gave up waiting, it joins again under
 * another one. So a parked first join does not live for ever.
 */
const firstJoinMsMax = 5 * 60_000

export class Rebalance {
  readonly #membership: Membership
  readonly #environment: Environment
  #state: ClassicState = 'Empty'
  #stateAt: number
  /** KIP-394: ids given away whose owners have not come back with them. */
  readonly #expected = new Map<string, Deadline>()
  /** Members of this generation that have not asked for their assignment. */
  readonly #unsynced = new Set<Member>()
  #joinTimer: Timer | undefined
  #syncTimer: Timer | undefined
  /** KIP-134: a group that was empty gathers for a time of its own, whoever has joined. */
  #gathering: { newcomers: boolean; leftMs: number } | undefined
  /** The generation whose assignment is on its way to the log. */
  #storing: number | undefined

  constructor(membership: Membership, environment: Environment) {
    this.#membership = membership
    this.#environment = environment
    this.#stateAt = environment.clock.now()
  }

  get state(): ClassicState {
    return this.#state
  }

  get stateAt(): number {
    return this.#stateAt
  }

  #become(state: ClassicState): void {
    this.#state = state
    this.#stateAt = this.#environment.clock.now()
  }

  // --- ids that were given away

  expect(memberId: string, sessionTimeoutMs: number): void {
    const deadline = new Deadline(this.#environment.clock, () => {
      this.#expected.delete(memberId)
      this.#proceed()
    })
    this.#expected.set(memberId, deadline)
    deadline.push(sessionTimeoutMs)
  }

  isExpected(memberId: string): boolean {
    return this.#expected.has(memberId)
  }

  get expectedCount(): number {
    return this.#expected.size
  }

  /** The owner came, or said that it will not. */
  unexpect(memberId: string): void {
    this.#expected.get(memberId)?.cancel()
    this.#expected.delete(memberId)
  }

  // --- sessions

  /** Anything a member sends counts as a heartbeat. */
  touch(member: Member): void {
    member.session?.push(member.isNew ? firstJoinMsMax : member.sessionTimeoutMs)
  }

  #watch(member: Member): void {
    member.session = new Deadline(this.#environment.clock, () => this.#silent(member))
    this.touch(member)
  }

  /** A member that waits for our answer need not send heartbeats; with the answer its session begins anew. */
  #silent(member: Member): void {
    const waits = member.isJoining || member.isSyncing
    if (!waits || member.isNew) this.lose([member])
  }

  // --- joining

  add(member: Member): Promise<JoinAnswer> {
    this.unexpect(member.id)
    this.#membership.add(member)
    this.#watch(member)
    if (this.#gathering !== undefined) this.#gathering.newcomers = true
    return this.join(member)
  }

  /** Parks the member at the barrier, which its coming may open, or put up. */
  join(member: Member): Promise<JoinAnswer> {
    const answer = member.parkJoin()
    if (this.#state === 'PreparingRebalance') this.#proceed()
    else this.#prepare()
    return answer
  }

  get joiningCount(): number {
    return this.#membership.all.filter((member) => member.isJoining).length
  }

  get #allJoined(): boolean {
    return this.#expected.size === 0 && this.#membership.all.every((member) => member.isJoining)
  }

  /** Members are gone, by their own word or by silence. */
  lose(members: readonly Member[]): void {
    for (const member of members) this.#drop(member)
    if (members.length > 0) this.#recover()
  }

  /** After a loss or a leave: the rest shares the work anew. */
  #recover(): void {
    if (this.#state === 'PreparingRebalance') this.#proceed()
    else if (this.#state === 'CompletingRebalance' || this.#state === 'Stable') this.#prepare()
  }

  /** What has gone without a member's doing (an expected id that said goodbye) may open the barrier too. */
  reconsider(): void {
    this.#proceed()
  }

  #drop(member: Member): void {
    member.session?.cancel()
    this.#unsynced.delete(member)
    this.#membership.remove(member)
    member.answerJoin(joinRefused('UNKNOWN_MEMBER_ID', ''))
    member.answerSync(syncRefused('UNKNOWN_MEMBER_ID'))
  }

  #prepare(): void {
    if (this.#state === 'CompletingRebalance') this.#dismissSyncing('REBALANCE_IN_PROGRESS')
    this.#syncTimer?.cancel()
    const wasEmpty = this.#state === 'Empty'
    this.#become('PreparingRebalance')
    const { initialDelayMs } = this.#environment
    if (!wasEmpty) this.#waitForAll()
    else if (initialDelayMs === 0) this.#complete()
    else this.#gather(Math.max(0, this.#membership.rebalanceTimeoutMs - initialDelayMs), initialDelayMs)
  }

  #gather(leftMs: number, delayMs: number): void {
    this.#gathering = { newcomers: false, leftMs }
    this.#wait(delayMs, () => this.#gathered(delayMs))
  }

  /** While new members keep coming, the first rebalance is put off, up to the rebalance timeout. */
  #gathered(delayMs: number): void {
    const { newcomers, leftMs } = this.#gathering!
    const moreMs = Math.min(this.#environment.initialDelayMs, leftMs)
    if (newcomers && moreMs > 0) this.#gather(Math.max(0, leftMs - delayMs), moreMs)
    else this.#complete()
  }

  #wait(waitMs: number, then: () => void): void {
    this.#joinTimer?.cancel()
    this.#joinTimer = this.#environment.clock.after(waitMs, then)
  }

  #waitForAll(): void {
    if (this.#allJoined) this.#complete()
    else this.#wait(this.#membership.rebalanceTimeoutMs, () => this.#complete())
  }

  #proceed(): void {
    if (this.#state === 'PreparingRebalance' && this.#gathering === undefined && this.#allJoined) this.#complete()
  }

  /** The barrier opens: a new generation of those who came. Static members may be away until their session ends. */
  #complete(): void {
    this.#joinTimer?.cancel()
    this.#gathering = undefined
    for (const member of this.#membership.all) if (!member.isJoining && member.instanceId === null) this.#drop(member)
    if (this.#membership.size === 0) this.#empty()
    else if (this.#membership.electJoined()) this.#complyJoined()
    else this.#wait(this.#membership.rebalanceTimeoutMs, () => this.#complete())
  }

  #empty(): void {
    this.#membership.generation++
    this.#membership.protocol = null
    this.#unsynced.clear()
    this.#become('Empty')
    // Nobody waits for this. If it cannot be stored, the last members come back with a restart and time out again.
    this.#environment.store(new Map(), () => {}).catch(refusalOf)
  }

  #complyJoined(): void {
    const membership = this.#membership
    membership.generation++
    membership.protocol = membership.electProtocol()
    this.#become('CompletingRebalance')
    this.#unsynced.clear()
    for (const member of membership.all) {
      member.isNew = false
      this.touch(member)
      this.#unsynced.add(member)
      member.answerJoin(this.joined(member))
    }
    const { generation } = membership
    this.#syncTimer = this.#environment.clock.after(membership.rebalanceTimeoutMs, () => this.#loseUnsynced(generation))
  }

  /** The answer to a member of the current generation. Only the leader is shown the others. */
  joined(member: Member): JoinAnswer {
    const { generation, protocolType, protocol, leader } = this.#membership
    const members = leader === member.id ? this.#membership.metadata() : []
    const memberId = member.id
    return {
      error: 'NONE',
      memberId,
      generation,
      protocolType,
      protocol,
      leader: leader!,
      skipAssignment: false,
      members,
    }
  }

  // --- syncing

  synced(member: Member): void {
    this.#unsynced.delete(member)
    this.touch(member)
  }

  /** A member that joined and never asked for its assignment would hold partitions that nobody reads. */
  #loseUnsynced(generation: number): void {
    const waits = this.#state === 'CompletingRebalance' || this.#state === 'Stable'
    if (waits && generation === this.#membership.generation) this.lose([...this.#unsynced])
  }

  /** The leader has assigned. Nobody learns its part before the whole is stored. */
  assign(assignments: Assignments): void {
    const { generation } = this.#membership
    if (this.#storing === generation) return
    this.#storing = generation
    const isCurrent = () => this.#state === 'CompletingRebalance' && this.#membership.generation === generation
    this.#environment
      .store(assignments, () => {
        if (isCurrent()) this.#stabilise(assignments)
      })
      .catch((error: unknown) => {
        const refusal = refusalOf(error)
        if (!isCurrent()) return
        this.#dismissSyncing(refusal)
        this.#prepare()
      })
  }

  #stabilise(assignments: Assignments): void {
    this.#become('Stable')
    for (const member of this.#membership.all) {
      member.assignment = assignments.get(member.id) ?? noBytes
      if (!member.isSyncing) continue
      this.synced(member)
      const { protocolType, protocol } = this.#membership
      member.answerSync({ error: 'NONE', protocolType, protocol, assignment: member.assignment })
    }
  }

  #dismissSyncing(error: ErrorName): void {
    for (const member of this.#membership.all) {
      member.assignment = noBytes
      if (!member.isSyncing) continue
      this.touch(member)
      member.answerSync(syncRefused(error))
    }
  }

  // --- from outside the cycle

  /** The group as the log remembers it. Sessions begin anew: the members could not reach us. */
  restore(members: readonly Member[], stateAt: number): void {
    for (const member of members) {
      member.isNew = false
      this.#membership.add(member)
      this.#watch(member)
    }
    this.#state = members.length === 0 ? 'Empty' : 'Stable'
    this.#stateAt = stateAt
  }

  /** Everybody shall join anew. */
  regroup(): void {
    this.#prepare()
  }

  /** The group becomes one of another type: who waits for an answer comes back and meets that one. */
  disband(): void {
    this.#release('REBALANCE_IN_PROGRESS')
    this.#become('Dead')
  }

  /** An empty group that is being removed answers nobody any more. */
  die(): void {
    this.#release('NOT_COORDINATOR')
    this.#become('Dead')
  }

  /** The removal was refused. */
  revive(emptySince: number): void {
    this.#state = 'Empty'
    this.#stateAt = emptySince
  }

  stop(): void {
    this.#release('NOT_COORDINATOR')
  }

  #release(error: ErrorName): void {
    this.#joinTimer?.cancel()
    this.#syncTimer?.cancel()
    for (const memberId of [...this.#expected.keys()]) this.unexpect(memberId)
    for (const member of this.#membership.all) {
      member.session?.cancel()
      member.answerJoin(joinRefused(error, member.id))
      member.answerSync(syncRefused(error))
    }
  }
}
