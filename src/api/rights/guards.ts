// The one list of guards. With an authorizer every API is served behind its own; one without cannot be served at all.

import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { saslHandshake } from '../../../protocol/messages/17-sasl-handshake.ts'
import { apiVersions } from '../../../protocol/messages/18-api-versions.ts'
import { saslAuthenticate } from '../../../protocol/messages/36-sasl-authenticate.ts'
import { createDelegationToken } from '../../../protocol/messages/38-create-delegation-token.ts'
import { renewDelegationToken } from '../../../protocol/messages/39-renew-delegation-token.ts'
import { expireDelegationToken } from '../../../protocol/messages/40-expire-delegation-token.ts'
import { describeDelegationToken } from '../../../protocol/messages/41-describe-delegation-token.ts'
import { describeCluster } from '../../../protocol/messages/60-describe-cluster.ts'
import type { Fields, Message } from '../../../protocol/schema.ts'
import type { Authorizer } from '../../auth/authorizer.ts'
import type { Api, Context } from '../api.ts'
import { apis } from '../apis.ts'
import { clusterGuards } from './cluster.ts'
import { configGuards } from './configs.ts'
import { groupGuards } from './groups.ts'
import { type Guard, type GuardRow, open } from './guard.ts'
import { Rights } from './rights.ts'
import { shareGuards } from './shares.ts'
import { topicGuards } from './topics.ts'
import { transactionGuards } from './transactions.ts'

const list: readonly GuardRow[] = [
  ...topicGuards,
  ...groupGuards,
  ...shareGuards,
  ...transactionGuards,
  ...configGuards,
  ...clusterGuards,
  // Of no resource: who speaks, and where the brokers are.
  ...open(apiVersions, saslHandshake, saslAuthenticate, describeCluster),
  // Refused to whoever comes without TLS or SASL, before anybody asks for rights.
  ...open(createDelegationToken, renewDelegationToken, expireDelegationToken, describeDelegationToken),
  // Each thing that they ask about is looked up by itself: their handlers ask.
  ...open(offsetFetch, findCoordinator),
]

const guards: ReadonlyMap<number, Guard<never>> = new Map(list.map(({ key, guard }) => [key, guard as Guard<never>]))

/** The APIs of a broker. Where there is no authorizer nobody is asked anything. */
export const served = (authorizer: Authorizer | undefined): ReadonlyMap<number, Api> =>
  authorizer === undefined ? apis : guarded(apis, authorizer)

/** The same APIs, asked for no more than their clients may. */
export const guarded = (apis: ReadonlyMap<number, Api>, authorizer: Authorizer): Map<number, Api> =>
  new Map([...apis].map(([key, api]) => [key, behind(api, authorizer)]))

function behind(api: Api, authorizer: Authorizer): Api {
  const guard = guards.get(api.table.key)
  if (guard === undefined) throw new Error(`Nobody has said who may ask ${api.table.name}: it cannot be served.`)
  const handle = (request: Message<Fields>, context: Context): unknown => {
    const rights = new Rights(authorizer, context)
    const next = (asked: Message<Fields>, as = rights) => api.handle(asked, { ...context, rights: as })
    return guard(request as never, rights, next as never, context)
  }
  return { ...api, handle }
}
