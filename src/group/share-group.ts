// A share group (KIP-932) as the coordinator holds it: the state that its records add up to, and the clocks that run for
// its members. It has no offsets of its own: what is done is remembered by the room `share`.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Clock } from '../storage/clock.ts'
import { Deadline } from './deadline.ts'
import type { Group } from './group.ts'
import { Offsets } from './offsets.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import { shareRecord } from './share-records.ts'
import { ShareChange, ShareState } from './share-state.ts'

type Environment = {
  readonly clock: Clock
  sessionTimeoutMs(): number
  /** Nothing was heard of a member for too long. */
  expired(memberId: string): void
}

export class ShareGroup implements Group {
  readonly id: string
  readonly type = 'share'
  readonly protocolType = 'share'
  readonly offsets = new Offsets()
  /** The version of the catalog that the last heartbeat saw; -1: none has come yet. */
  topicsVersion = -1
  readonly #environment: Environment
  readonly #sessions = new Map<string, Deadline>()
  #memory: ShareState
  #isDead = false

  constructor(id: string, environment: Environment, memory = new ShareState()) {
    this.id = id
    this.#environment = environment
    this.#memory = memory
  }

  get memory(): ShareState {
    return this.#memory
  }

  get state(): 'Empty' | 'Stable' | 'Dead' {
    if (this.#isDead) return 'Dead'
    return this.#memory.members.size === 0 ? 'Empty' : 'Stable'
  }

  get isEmpty(): boolean {
    return this.state === 'Empty'
  }

  /** One that is empty stays until somebody deletes it: it knows what was done. */
  get isBlank(): boolean {
    return false
  }

  // --- life

  /** The state that a change has led to, now that its records are in the log. */
  adopt(memory: ShareState): void {
    this.#memory = memory
    for (const [memberId, session] of this.#sessions) {
      if (memory.members.has(memberId)) continue
      session.cancel()
      this.#sessions.delete(memberId)
    }
    for (const memberId of memory.members.keys()) {
      if (this.#sessions.has(memberId)) continue
      this.#sessions.set(memberId, new Deadline(this.#environment.clock, () => this.#environment.expired(memberId)))
      this.touch(memberId)
    }
  }

  /** The member has shown that it lives. */
  touch(memberId: string): void {
    this.#sessions.get(memberId)?.push(this.#environment.sessionTimeoutMs())
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
  }

  tombstones(): OffsetsRecord[] {
    const change = new ShareChange(this.#memory)
    change.removeGroup()
    return change.records.map((record) => shareRecord(this.id, record))
  }

  // --- offsets: a share group commits none

  admitCommit(): ErrorName {
    return 'GROUP_ID_NOT_FOUND'
  }

  admitTransactionalCommit(): ErrorName {
    return 'GROUP_ID_NOT_FOUND'
  }

  admitOffsetDelete(): ErrorName {
    return 'GROUP_ID_NOT_FOUND'
  }

  isSubscribed(): boolean {
    return false
  }

  agesSince(): undefined {
    return undefined
  }
}
