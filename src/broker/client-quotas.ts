// The quotas that were set, and which of them counts for a client: the most particular one, users before client ids
// (KIP-55). State is what the metadata log replays.

import type { MetadataLog } from './metadata-log.ts'
import { entityKey, type QuotaEntity, type QuotaKind } from './quota-entity.ts'

export type Quota = { readonly entity: QuotaEntity; readonly values: Readonly<Record<string, number>> }

/** What counts for somebody. Those who have the same `payer` share it. */
export type FoundQuota = { readonly rate: number; readonly payer: string }

const cacheMax = 10_000

export class ClientQuotas {
  readonly #metadata: MetadataLog
  readonly #found = new Map<string, FoundQuota | undefined>()
  /** Whether a request costs anybody anything: looked at for each of them. */
  hasClientQuotas = false
  hasAddressQuotas = false

  constructor(metadata: MetadataLog) {
    this.#metadata = metadata
    this.#changed()
  }

  #changed(): void {
    this.#found.clear()
    const quotas = this.all()
    this.hasClientQuotas = quotas.some(({ entity }) => !('ip' in entity))
    this.hasAddressQuotas = quotas.some(({ entity }) => 'ip' in entity)
  }

  all(): Quota[] {
    return [...this.#metadata.state.quotas.values()]
  }

  valuesOf(entity: QuotaEntity): Readonly<Record<string, number>> {
    return this.#metadata.state.quotas.get(entityKey(entity))?.values ?? {}
  }

  /** Replaces the quotas of entities; resolves when that is durable. Throws StorageError. */
  async set(quotas: readonly Quota[]): Promise<void> {
    if (quotas.length === 0) return
    const durable = this.#metadata.commit(quotas.map(({ entity, values }) => ({ v: 1, type: 'quota', entity, values })))
    this.#changed()
    await durable
  }

  /** Nobody has any. Throws StorageError. */
  reset(): Promise<void> {
    return this.set(this.all().map(({ entity }) => ({ entity, values: {} })))
  }

  /** What counts for a user with a client id. */
  find(kind: QuotaKind, user: string, clientId: string): FoundQuota | undefined {
    const key = JSON.stringify([kind, user, clientId])
    if (this.#found.has(key)) return this.#found.get(key)
    if (this.#found.size >= cacheMax) this.#found.clear()
    const both = JSON.stringify(['user', user, 'client-id', clientId])
    const one = JSON.stringify(['user', user])
    const found = this.#first(kind, [
      [{ user, 'client-id': clientId }, both],
      [{ user, 'client-id': null }, both],
      [{ user }, one],
      [{ user: null, 'client-id': clientId }, both],
      [{ user: null, 'client-id': null }, both],
      [{ user: null }, one],
      [{ 'client-id': clientId }, JSON.stringify(['client-id', clientId])],
      [{ 'client-id': null }, JSON.stringify(['client-id', clientId])],
    ])
    this.#found.set(key, found)
    return found
  }

  /** What counts for an address. */
  findAddress(ip: string): FoundQuota | undefined {
    const payer = JSON.stringify(['ip', ip])
    return this.#first('connection_creation_rate', [
      [{ ip }, payer],
      [{ ip: null }, payer],
    ])
  }

  #first(kind: QuotaKind, levels: readonly (readonly [QuotaEntity, payer: string])[]): FoundQuota | undefined {
    for (const [entity, payer] of levels) {
      const rate = this.valuesOf(entity)[kind]
      if (rate !== undefined) return { rate, payer }
    }
    return undefined
  }
}
