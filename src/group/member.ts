// One member of a classic group: what it told us when it joined, and the answers it is waiting for.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Clock } from '../storage/clock.ts'
import type { Deadline } from './deadline.ts'
import type { GroupMetadata } from './records.ts'

/** An assignor's name and what the member tells the leader about itself under that assignor. Opaque to us. */
export type Protocol = { readonly name: string; readonly metadata: Buffer }

export type MemberMetadata = {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

export type JoinAnswer = {
  readonly error: ErrorName
  readonly memberId: string
  readonly generation: number
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly leader: string
  /** KIP-814: a returning static leader is shown the members but must not assign anew. */
  readonly skipAssignment: boolean
  /** For the leader alone; empty for everybody else. */
  readonly members: readonly MemberMetadata[]
}

export type SyncAnswer = {
  readonly error: ErrorName
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly assignment: Buffer
}

export const noBytes: Buffer = Buffer.alloc(0)

export const joinRefused = (error: ErrorName, memberId: string): JoinAnswer => ({
  error,
  memberId,
  generation: -1,
  protocolType: null,
  protocol: null,
  leader: '',
  skipAssignment: false,
  members: [],
})

export const syncRefused = (error: ErrorName): SyncAnswer => ({
  error,
  protocolType: null,
  protocol: null,
  assignment: noBytes,
})

export type Introduction = {
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly Protocol[]
}

/** What is kept must not be a view of the frame it came in. */
const copied = (protocols: readonly Protocol[]): Protocol[] =>
  protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))

export class Member {
  /** A static member that returns gets a new id; its place stays. */
  id: string
  readonly instanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly Protocol[]
  /** What the leader gave it in the last stable generation. */
  assignment: Buffer = noBytes
  /** Until its first rebalance is complete: it does not know its id and cannot send heartbeats. */
  isNew = true
  /** Armed as long as the member belongs to the group. */
  session: Deadline | undefined
  #joining: ((answer: JoinAnswer) => void) | undefined
  #syncing: ((answer: SyncAnswer) => void) | undefined

  constructor(id: string, introduction: Introduction) {
    this.id = id
    this.instanceId = introduction.instanceId
    this.clientId = introduction.clientId
    this.clientHost = introduction.clientHost
    this.sessionTimeoutMs = introduction.sessionTimeoutMs
    this.rebalanceTimeoutMs = introduction.rebalanceTimeoutMs
    this.protocols = copied(introduction.protocols)
  }

  /** A known member joined again. */
  introduce({ clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols }: Introduction): void {
    this.clientId = clientId
    this.clientHost = clientHost
    this.sessionTimeoutMs = sessionTimeoutMs
    this.rebalanceTimeoutMs = rebalanceTimeoutMs
    this.protocols = copied(protocols)
  }

  get isJoining(): boolean {
    return this.#joining !== undefined
  }

  get isSyncing(): boolean {
    return this.#syncing !== undefined
  }

  /** Parks a JoinGroup. One that is still parked was given up by its client, which sent this one instead. */
  parkJoin(): Promise<JoinAnswer> {
    this.answerJoin(joinRefused('REBALANCE_IN_PROGRESS', this.id))
    return new Promise((resolve) => {
      this.#joining = resolve
    })
  }

  answerJoin(answer: JoinAnswer): void {
    const resolve = this.#joining
    this.#joining = undefined
    resolve?.(answer)
  }

  parkSync(): Promise<SyncAnswer> {
    this.answerSync(syncRefused('REBALANCE_IN_PROGRESS'))
    return new Promise((resolve) => {
      this.#syncing = resolve
    })
  }

  answerSync(answer: SyncAnswer): void {
    const resolve = this.#syncing
    this.#syncing = undefined
    resolve?.(answer)
  }

  /** Whether it joined before with exactly these protocols, in this order: then nothing would change. */
  hasProtocols(protocols: readonly Protocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, i) => {
        const own = this.protocols[i]!
        return own.name === name && own.metadata.equals(metadata)
      })
    )
  }

  metadataFor(protocol: string): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? noBytes
  }

  /** The first of its protocols that is among the candidates. */
  vote(candidates: ReadonlySet<string>): string | undefined {
    return this.protocols.find(({ name }) => candidates.has(name))?.name
  }
}

/** Speaks to people who read logs: the client's name, then what makes it unique. */
export const newMemberId = ({ instanceId, clientId }: Introduction, clock: Clock): string =>
  `${instanceId ?? clientId}-${uuidOf(clock.random(16))}`

/** 16 random bytes as a UUID of version 4. */
function uuidOf(bytes: Buffer): string {
  const id = Buffer.from(bytes)
  id[6] = (id[6]! & 0x0f) | 0x40
  id[8] = (id[8]! & 0x3f) | 0x80
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Of a member's protocols the log remembers the chosen one. */
export function restoredMember(of: GroupMetadata['members'][number], protocol: string | null): Member {
  const member = new Member(of.memberId, {
    instanceId: of.groupInstanceId,
    clientId: of.clientId,
    clientHost: of.clientHost,
    sessionTimeoutMs: of.sessionTimeout,
    rebalanceTimeoutMs: of.rebalanceTimeout === -1 ? of.sessionTimeout : of.rebalanceTimeout,
    protocols: protocol === null ? [] : [{ name: protocol, metadata: of.subscription }],
  })
  member.assignment = Buffer.from(of.assignment)
  return member
}
