// Share sessions: a member names the partitions it reads once, and afterwards only what changes. A session ends with its
// connection, and what the member had acquired goes to others.

import type { ErrorName } from '../../protocol/errors.ts'

export type SessionPartition = { readonly topicId: string; readonly partition: number }

/** The end of a connection, as far as sessions know it. */
export type Connection = { onBegin(listener: () => void): () => void }

export type SessionRequest = {
  /** Each node of a cluster has sessions of its own. */
  readonly node: number
  readonly groupId: string
  readonly memberId: string
  /** 0 begins a session, -1 ends it, anything else goes on with it. */
  readonly epoch: number
}

type Session = {
  readonly of: SessionRequest
  epoch: number
  readonly partitions: Map<string, SessionPartition>
  connection: Connection | undefined
  /** Stops listening for the end of the connection. */
  unhook: () => void
}

export const finalEpoch = -1
const epochMax = 0x7fff_ffff
const keyOf = ({ node, groupId, memberId }: SessionRequest): string => `${node}:${groupId.length}:${groupId}${memberId}`
const nameOf = ({ topicId, partition }: SessionPartition): string => `${topicId}:${partition}`

export class ShareSessions {
  readonly #sessions = new Map<string, Session>()
  readonly #sessionsMax: number
  readonly #ended: (request: SessionRequest) => void

  /** `sessionsMax`: `group.share.max.share.sessions`. `ended`: a connection closed, and a member's session with it. */
  constructor(sessionsMax: number, ended: (request: SessionRequest) => void) {
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
  admit(request: SessionRequest, connection: Connection): ErrorName {
    const { epoch } = request
    const session = this.#sessions.get(keyOf(request))
    if (epoch === 0) return this.#begin(request, connection)
    if (session === undefined) return 'SHARE_SESSION_NOT_FOUND'
    if (epoch === finalEpoch) {
      this.#end(session)
      return 'NONE'
    }
    if (epoch !== session.epoch) return 'INVALID_SHARE_SESSION_EPOCH'
    this.#follow(session, connection)
    session.epoch = epoch === epochMax ? 1 : epoch + 1
    return 'NONE'
  }

  #begin(request: SessionRequest, connection: Connection): ErrorName {
    const before = this.#sessions.get(keyOf(request))
    if (before !== undefined) this.#end(before)
    if (this.#sessions.size >= this.#sessionsMax) return 'SHARE_SESSION_LIMIT_REACHED'
    const session: Session = { of: request, epoch: 1, partitions: new Map(), connection: undefined, unhook: () => {} }
    this.#follow(session, connection)
    this.#sessions.set(keyOf(request), session)
    return 'NONE'
  }

  /** A session belongs to the connection that it was last heard of by. */
  #follow(session: Session, connection: Connection): void {
    if (session.connection === connection) return
    session.unhook()
    session.connection = connection
    session.unhook = connection.onBegin(() => {
      this.#end(session)
      this.#ended(session.of)
    })
  }

  #end(session: Session): void {
    session.unhook()
    this.#sessions.delete(keyOf(session.of))
  }

  /** Adds partitions to what a member reads, and takes others out; those that are new. What is named twice is forgotten. */
  change(
    request: SessionRequest,
    wanted: readonly SessionPartition[],
    forgotten: readonly SessionPartition[],
  ): SessionPartition[] {
    const partitions = this.#sessions.get(keyOf(request))?.partitions
    const added = wanted.filter((of) => partitions?.has(nameOf(of)) === false)
    for (const of of wanted) partitions?.set(nameOf(of), of)
    for (const of of forgotten) partitions?.delete(nameOf(of))
    return added.filter((of) => partitions?.has(nameOf(of)) === true)
  }

  /** What a member reads, beginning elsewhere each time so that none is starved. */
  partitions(request: SessionRequest): SessionPartition[] {
    const all = [...(this.#sessions.get(keyOf(request))?.partitions.values() ?? [])]
    const first = all.length === 0 ? 0 : request.epoch % all.length
    return [...all.slice(first), ...all.slice(0, first)]
  }

  /** The member has left its group, or was given up. */
  drop(groupId: string, memberId: string): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.of.groupId === groupId && session.of.memberId === memberId) this.#end(session)
    }
  }
}
