// Share sessions: a member names the partitions it reads once, and afterwards only what changes. A session ends with its
// connection, and what the member had acquired goes to others.

import type { ErrorName } from '../../protocol/errors.ts'

export type SessionPartition = { readonly topicId: string; readonly partition: number }

export type SessionRequest = {
  readonly groupId: string
  readonly memberId: string
  /** 0 begins a session, -1 ends it, anything else goes on with it. */
  readonly epoch: number
}

type Session = {
  readonly groupId: string
  readonly memberId: string
  epoch: number
  readonly partitions: Map<string, SessionPartition>
  /** Stops listening for the end of the connection. */
  unhook: () => void
}

export const finalEpoch = -1
const epochMax = 0x7fff_ffff
const keyOf = ({ groupId, memberId }: Pick<SessionRequest, 'groupId' | 'memberId'>): string =>
  `${groupId.length}:${groupId}${memberId}`
const nameOf = ({ topicId, partition }: SessionPartition): string => `${topicId}:${partition}`

export class ShareSessions {
  readonly #sessions = new Map<string, Session>()
  readonly #sessionsMax: number
  readonly #ended: (groupId: string, memberId: string) => void

  /** `sessionsMax`: `group.share.max.share.sessions`. `ended`: a connection closed, and a member's session with it. */
  constructor(sessionsMax: number, ended: (groupId: string, memberId: string) => void) {
    this.#sessionsMax = sessionsMax
    this.#ended = ended
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Forgets every session; connections stay. */
  reset(): void {
    for (const session of [...this.#sessions.values()]) this.#end(session)
  }

  /** Begins, goes on with or ends a session; why it cannot, or NONE. */
  admit(request: SessionRequest, connection: AbortSignal): ErrorName {
    const { epoch } = request
    const session = this.#sessions.get(keyOf(request))
    if (epoch === 0) return this.#begin(request, connection)
    if (session === undefined) return 'SHARE_SESSION_NOT_FOUND'
    if (epoch === finalEpoch) {
      this.#end(session)
      return 'NONE'
    }
    if (epoch !== session.epoch) return 'INVALID_SHARE_SESSION_EPOCH'
    session.epoch = epoch === epochMax ? 1 : epoch + 1
    return 'NONE'
  }

  #begin(request: SessionRequest, connection: AbortSignal): ErrorName {
    const before = this.#sessions.get(keyOf(request))
    if (before !== undefined) this.#end(before)
    if (this.#sessions.size >= this.#sessionsMax) return 'SHARE_SESSION_LIMIT_REACHED'
    const { groupId, memberId } = request
    const session: Session = { groupId, memberId, epoch: 1, partitions: new Map(), unhook: () => {} }
    const closed = () => {
      if (this.#sessions.get(keyOf(session)) !== session) return
      this.#end(session)
      this.#ended(groupId, memberId)
    }
    connection.addEventListener('abort', closed)
    session.unhook = () => connection.removeEventListener('abort', closed)
    this.#sessions.set(keyOf(session), session)
    return 'NONE'
  }

  #end(session: Session): void {
    session.unhook()
    this.#sessions.delete(keyOf(session))
  }

  /** Adds partitions to what a member reads, and takes others out. What is named twice is forgotten. */
  change(request: SessionRequest, wanted: readonly SessionPartition[], forgotten: readonly SessionPartition[]): void {
    const partitions = this.#sessions.get(keyOf(request))?.partitions
    for (const of of wanted) partitions?.set(nameOf(of), of)
    for (const of of forgotten) partitions?.delete(nameOf(of))
  }

  /** What a member reads, beginning elsewhere each time so that none is starved. */
  partitions(request: SessionRequest): SessionPartition[] {
    const all = [...(this.#sessions.get(keyOf(request))?.partitions.values() ?? [])]
    const first = all.length === 0 ? 0 : request.epoch % all.length
    return [...all.slice(first), ...all.slice(0, first)]
  }

  /** The member has left its group, or was given up. Whether it had a session. */
  drop(groupId: string, memberId: string): boolean {
    const session = this.#sessions.get(keyOf({ groupId, memberId }))
    if (session === undefined) return false
    this.#end(session)
    return true
  }
}
