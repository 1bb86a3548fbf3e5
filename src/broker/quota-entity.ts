// Whom a quota is for, and which quotas there are (KIP-13, KIP-55, KIP-124, KIP-546, KIP-599, KIP-612).

import { Refusal } from '../../protocol/errors.ts'

/** Name by type; null is whoever has no quota of their own. */
export type QuotaEntity = { readonly [type: string]: string | null }

/** What a quota is for, in the unit of its name; `whole`: the largest whole number where fractions are refused. */
const quotaKinds = {
  producer_byte_rate: { whole: 2 ** 63, kind: 'LONG' },
  consumer_byte_rate: { whole: 2 ** 63, kind: 'LONG' },
  request_percentage: { whole: undefined, kind: 'DOUBLE' },
  controller_mutation_rate: { whole: undefined, kind: 'DOUBLE' },
  connection_creation_rate: { whole: 0x7fff_ffff, kind: 'INT' },
} as const
export type QuotaKind = keyof typeof quotaKinds

export const entityTypes = ['user', 'client-id', 'ip'] as const
const kindsOfAddresses: readonly string[] = ['connection_creation_rate']

/** The same for the same entity, in whatever order its parts are named. */
export const entityKey = (entity: QuotaEntity): string => JSON.stringify(Object.entries(entity).sort())

/** What is wrong with an entity; whether an address can be resolved is for others to find out. */
export function checkEntity(parts: readonly (readonly [type: string, name: string | null])[]): Refusal | undefined {
  const refuse = (why: string) => new Refusal('INVALID_REQUEST', why)
  if (parts.length === 0) return refuse('Invalid empty client quota entity')
  const types = parts.map(([type]) => type)
  const known: readonly string[] = entityTypes
  const unknown = types.find((type) => !known.includes(type))
  if (unknown !== undefined) return refuse(`Unhandled client quota entity type: ${unknown}`)
  const [nameless] = parts.find(([, name]) => name === '') ?? []
  if (nameless !== undefined) return refuse(`Empty ${nameless} not supported`)
  if (types.length > 1 && types.includes('ip')) {
    return refuse('Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId')
  }
  return undefined
}

/** What is wrong with a quota of an entity. The words are those of the real controller, and searched for. */
export function checkQuota(entity: QuotaEntity, name: string, value: number): Refusal | undefined {
  const refuse = (why: string) => new Refusal('INVALID_REQUEST', why)
  const row = (quotaKinds as Readonly<Record<string, (typeof quotaKinds)[QuotaKind]>>)[name]
  const isForAddresses = kindsOfAddresses.includes(name)
  if (row === undefined || isForAddresses !== 'ip' in entity) return refuse(`Invalid configuration key ${name}`)
  if (!Number.isFinite(value)) return refuse(`Quota ${name} must be a finite number`)
  if (value <= 0) return refuse(`Quota ${name} must be greater than 0`)
  if (row.whole === undefined) return undefined
  if (!Number.isInteger(value)) return refuse(`${name} cannot be a fractional value.`)
  return value <= row.whole ? undefined : refuse(`Proposed value for ${name} is too large for a ${row.kind}.`)
}
