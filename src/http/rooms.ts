// What the HTTP port may ask: the rooms of the broker, and what only the sockets know.

import type { Context } from '../api/api.ts'
import type { Durations } from '../storage/durations.ts'

/** Traffic of Kafka's listeners since the start. */
export type Traffic = {
  readonly connections: number
  readonly connectionsAccepted: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** By the name of the API: how many were understood, and how long those took that were answered. */
  readonly requests: ReadonlyMap<string, { readonly taken: number; readonly durations: Durations }>
  /** As slow as `slow.request.log.ms` says, or slower. */
  readonly slowRequests: number
  /** What waits now. */
  readonly waiting: {
    readonly requests: number
    readonly requestBytes: number
    readonly answers: number
    readonly answerBytes: number
    readonly unreadConnections: number
  }
}

export type Rooms = Pick<Context, 'broker' | 'groups' | 'transactions' | 'branches' | 'sessions' | 'shares'> & {
  readonly version: () => string
  /** Of the ordinary listener: whose addresses are told. */
  readonly listener: string
  readonly traffic: () => Traffic
  /** How long the start took, ms; undefined until it is over. */
  readonly startMs: () => number | undefined
  /** Streams end when it does: the broker stops. */
  readonly ending: AbortSignal
}
