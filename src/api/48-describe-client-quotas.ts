// DescribeClientQuotas: which quotas are set, for those who match a filter (KIP-546).

import { Refusal } from '../../protocol/errors.ts'
import { describeClientQuotas } from '../../protocol/messages/48-describe-client-quotas.ts'
import type { Request } from '../../protocol/schema.ts'
import { entityTypes, type QuotaEntity } from '../broker/quota-entity.ts'
import { serve } from './api.ts'

type Component = Request<typeof describeClientQuotas>['components'][number]
const matchTypes = { exact: 0, default: 1, any: 2 } as const

function check(components: readonly Component[]): Refusal | undefined {
  const refuse = (why: string) => new Refusal('INVALID_REQUEST', why)
  const types = components.map(({ entityType }) => entityType)
  for (const [i, { entityType, matchType, match }] of components.entries()) {
    if (types.indexOf(entityType) < i)
      return refuse(`Entity type ${entityType} cannot appear more than once in the filter.`)
    if (entityType === '') return refuse('Invalid empty entity type.')
    switch (matchType) {
      case matchTypes.exact:
        if (match === null) return refuse('Request specified MATCH_TYPE_EXACT, but set match string to null.')
        break
      case matchTypes.default:
      case matchTypes.any: {
        const name = matchType === matchTypes.default ? 'MATCH_TYPE_DEFAULT' : 'MATCH_TYPE_SPECIFIED'
        if (match !== null) return refuse(`Request specified ${name}, but also specified a match string.`)
        break
      }
      default:
        return refuse(`Unknown match type ${matchType}`)
    }
  }
  const known: readonly string[] = entityTypes
  const unknown = types.find((type) => !known.includes(type))
  if (unknown !== undefined) return new Refusal('UNSUPPORTED_VERSION', `Unsupported entity type ${unknown}`)
  if (types.includes('ip') && types.length > 1) {
    const why = 'IP filter component should not be used with user or clientId filter component.'
    return refuse(`Invalid entity filter component combination. ${why}`)
  }
  return undefined
}

function matches(entity: QuotaEntity, { entityType, matchType, match }: Component): boolean {
  const name = entity[entityType]
  return name !== undefined && (matchType === matchTypes.any || name === match)
}

export const describeClientQuotasApi = serve(describeClientQuotas, [0, 1], ({ components, strict }, { broker }) => {
  const refusal = check(components)
  if (refusal !== undefined) return { errorCode: refusal.code, errorMessage: refusal.message, entries: null }
  const found = broker.quotas.all().filter(({ entity }) => {
    // Strict: nobody who is more than the filter names.
    if (strict && Object.keys(entity).length !== components.length) return false
    return components.every((component) => matches(entity, component))
  })
  const entries = found.map(({ entity, values }) => ({
    entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
    values: Object.entries(values).map(([key, value]) => ({ key, value })),
  }))
  return { errorCode: 0, errorMessage: '', entries }
})
