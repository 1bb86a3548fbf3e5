// How many partitions a client may make and delete (KIP-599): those who can be told so are refused, older versions are
// served and wait afterwards.

import { Refusal } from '../../protocol/errors.ts'
import type { Context } from './api.ts'

export class MutationQuota {
  readonly #context: Context
  readonly #strict: boolean
  /** What the answer says, and how long the connection is not listened to. */
  throttleTimeMs = 0

  /** `strictFrom`: the version that knows of THROTTLING_QUOTA_EXCEEDED. */
  constructor(context: Context, strictFrom: number) {
    this.#context = context
    this.#strict = context.version >= strictFrom
  }

  take(partitions: number): Refusal | undefined {
    const { broker, client, clientId } = this.#context
    const payer = { principal: client.principal, clientId }
    const { refused, ms } = broker.throttle.mutate(payer, partitions, this.#strict)
    this.throttleTimeMs = Math.max(this.throttleTimeMs, ms)
    return refused ? new Refusal('THROTTLING_QUOTA_EXCEEDED') : undefined
  }
}
