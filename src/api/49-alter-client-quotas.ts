// AlterClientQuotas: sets and removes quotas of users, client ids and addresses (KIP-546). Each entity by itself.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { Refusal } from '../../protocol/errors.ts'
import { alterClientQuotas } from '../../protocol/messages/49-alter-client-quotas.ts'
import type { Request } from '../../protocol/schema.ts'
import type { Quota } from '../broker/client-quotas.ts'
import { checkEntity, checkQuota, entityKey, type QuotaEntity } from '../broker/quota-entity.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { type Context, serve } from './api.ts'

type Entry = Request<typeof alterClientQuotas>['entries'][number]

/** Of a part that is named twice the last counts, as in Kafka. */
const entityOf = ({ entity }: Entry): QuotaEntity =>
  Object.fromEntries(entity.map(({ entityType, entityName }) => [entityType, entityName]))

/** The quotas that an entity will have, or why it cannot. */
async function next(entry: Entry, { broker }: Context): Promise<Quota | Refusal> {
  const entity = entityOf(entry)
  const refusal = checkEntity(Object.entries(entity))
  if (refusal !== undefined) return refusal
  const { ip } = entity
  if (typeof ip === 'string' && !(await isAddress(ip))) {
    return new Refusal('INVALID_REQUEST', `${ip} is not a valid IP or resolvable host.`)
  }
  const keys = entry.ops.map(({ key }) => key)
  if (new Set(keys).size < keys.length) return duplicate(entity)
  const values = { ...broker.quotas.valuesOf(entity) }
  for (const { key, value, remove } of entry.ops) {
    const bad = remove ? undefined : checkQuota(entity, key, value)
    if (bad !== undefined) return bad
    if (remove) delete values[key]
    else values[key] = value
  }
  return { entity, values }
}

const isAddress = async (host: string): Promise<boolean> =>
  isIP(host) !== 0 ||
  lookup(host).then(
    () => true,
    () => false,
  )

function duplicate(entity: QuotaEntity): Refusal {
  const parts = Object.entries(entity).map(([type, name]) => `${type}=${name}`)
  return new Refusal('INVALID_REQUEST', `Ignoring duplicate entity ClientQuotaEntity(entries={${parts.join(', ')}})`)
}

export const alterClientQuotasApi = serve(alterClientQuotas, [0, 1], async (request, context) => {
  // One answer for an entity. As in Kafka the first mention is done, though a second one is all that is heard of.
  const first = new Map<string, Entry>()
  const again = new Set<string>()
  for (const entry of request.entries) {
    const key = entityKey(entityOf(entry))
    if (first.has(key)) again.add(key)
    else first.set(key, entry)
  }
  const outcomes = await Promise.all(
    [...first].map(async ([key, entry]) => ({ key, entry, outcome: await next(entry, context) })),
  )
  const good = outcomes.flatMap(({ outcome }) => (outcome instanceof Refusal ? [] : [outcome]))
  let failure: Refusal | undefined
  try {
    if (!request.validateOnly && good.length > 0) await context.broker.quotas.set(good)
  } catch (cause) {
    failure = storageRefusal(cause)
  }
  const entries = outcomes.map(({ key, entry, outcome }) => {
    const found = outcome instanceof Refusal ? outcome : failure
    const whom = entityOf(entry)
    const refusal = again.has(key) ? duplicate(whom) : found
    const entity = Object.entries(whom).map(([entityType, entityName]) => ({ entityType, entityName }))
    return { errorCode: refusal?.code ?? 0, errorMessage: refusal?.message ?? null, entity }
  })
  return { entries }
})
