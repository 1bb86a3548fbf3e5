// What every API handler is: a table, the versions that are served, and a function from request to answer.

import type { ApiTable, Fields, Message, Request, Response } from '../../protocol/schema.ts'
import type { Broker } from '../broker/broker.ts'
import type { Branches } from '../command/branches.ts'
import type { Groups } from '../group/coordinator.ts'
import type { Shares } from '../share/shares.ts'
import type { Transactions } from '../transaction/coordinator.ts'
import type { FetchSessions } from './fetch-session.ts'
import type { Rights } from './rights/rights.ts'

/** The connection a request came by, as far as a handler may know it. */
export type Client = {
  /** Name of the listener the connection came in by: decides which addresses the client is told. */
  readonly listener: string
  readonly host: string
  readonly principal: string
  /** Set by ApiVersions v3+. */
  softwareName: string
  softwareVersion: string
  /** When the connection began, ms. */
  readonly openedAt?: number
  /** When it was last told which topics there are, ms. */
  toldNamesAt?: number
  /** How often it was refused a topic by an id that it may know under another name. */
  misled?: Map<string, number>
}

/** What a request waited for, where somebody wants to know. */
export type Waits = {
  /** For stable storage, ms. */
  flushMs: number
}

/** Tells once that a connection closes. An AbortSignal costs a parked request some microseconds; this does not. */
export type Closing = {
  readonly hasBegun: boolean
  /** Calls `listener` when it begins, until the returned function is called. */
  onBegin(listener: () => void): () => void
}

export type Context = {
  readonly broker: Broker
  readonly groups: Groups
  readonly transactions: Transactions
  readonly branches: Branches
  readonly sessions: FetchSessions
  /** The node of the cluster that is asked: it answers for what it leads and coordinates. */
  readonly node: number
  readonly shares: Shares
  /** What the client may do, where an authorizer is on: what handlers ask that look things up one by one. */
  readonly rights?: Rights
  readonly client: Client
  readonly clientId: string | null
  /** The branch set that the client is in, for what has to be noted of it: handlers see the set and need not ask. */
  readonly entered?: string
  /** Version of the request and of its answer. */
  readonly version: number
  /** Runs when the connection is gone or the answer has left: leases end here. */
  onSent(release: () => void): void
  /** The connection closes: parked requests let go. */
  readonly closing: Closing
  waits?: Waits
}

/** `undefined`: no answer is sent (Produce with acks=0). */
type Handle<A extends ApiTable> = (
  request: Request<A>,
  context: Context,
) => Response<A> | undefined | Promise<Response<A> | undefined>

export type Api = {
  readonly table: ApiTable
  /** What is served. */
  readonly versions: readonly [number, number]
  /** What ApiVersions says, where it differs from what is served. */
  readonly advertised: readonly [number, number]
  readonly handle: (request: Message<Fields>, context: Context) => unknown
  /** The handler is done with the bytes of the request when it returns, so it gets them uncopied. */
  readonly borrows: boolean
}

export function serve<A extends ApiTable>(
  table: A,
  versions: readonly [number, number],
  handle: Handle<A>,
  { advertised = versions, borrows = false }: { advertised?: readonly [number, number]; borrows?: boolean } = {},
): Api {
  return { table, versions, advertised, borrows, handle: handle as unknown as Api['handle'] }
}
