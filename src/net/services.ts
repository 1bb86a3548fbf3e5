// What connections share: those of a node what they ask, those of a server what they may use up.

import type { Api, Client, Context } from '../api/api.ts'
import type { Backlog } from './backlog.ts'
import type { BufferPool } from './receive-buffer.ts'
import type { RequestMemory } from './request-memory.ts'
import type { RequestTimes } from './request-times.ts'
import type { Turn } from './turn.ts'

/** What all connections of a node share. */
export type Services = Pick<
  Context,
  'broker' | 'groups' | 'transactions' | 'branches' | 'sessions' | 'shares' | 'node'
> & {
  readonly apis: ReadonlyMap<number, Api>
  readonly requestBytesMax: number
  /** Told how long requests take; absent where nobody wants to know. */
  readonly times?: RequestTimes
  /** Told of each request that was understood: the matrix of what clients really use. */
  readonly onRequest?: (apiKey: number, version: number, client: Client) => void
}

/** What all connections of a server share. */
export type Shared = {
  readonly pool: BufferPool
  readonly memory: RequestMemory
  readonly backlog: Backlog
  readonly turn: Turn
}
