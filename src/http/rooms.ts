// What the HTTP port may ask: the rooms of the broker, and what only the sockets know.

import type { Context } from '../api/api.ts'

/** Traffic of Kafka's listeners since the start. */
export type Traffic = {
  readonly connections: number
  readonly connectionsAccepted: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** By the name of the API: how many were understood. */
  readonly requests: ReadonlyMap<string, number>
}

export type Rooms = Pick<Context, 'broker' | 'groups' | 'transactions' | 'branches' | 'sessions' | 'shares'> & {
  readonly version: () => string
  /** Of the ordinary listener: whose addresses are told. */
  readonly listener: string
  readonly traffic: () => Traffic
  /** Streams end when it does: the broker stops. */
  readonly ending: AbortSignal
}
