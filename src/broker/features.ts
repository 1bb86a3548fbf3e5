// Features: what all brokers of a cluster have agreed to do (KIP-584). A client asks for the finalised level before it
// uses transactions version 2, consumer or share groups, so a feature stands here only once it is served.

import { Refusal } from '../../protocol/errors.ts'
import type { MetadataLog } from './metadata-log.ts'

export type Feature = {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Level of a new cluster. */
  readonly level: number
}

/**
 * As a fresh Kafka 4.4.0 has them. Its streams.version (0-1) joins the list with what it promises.
 */
const served: readonly Feature[] = [
  { name: 'kraft.version', min: 0, max: 1, level: 1 },
  { name: 'metadata.version', min: 7, max: 33, level: 33 },
  { name: 'transaction.version', min: 0, max: 2, level: 2 },
  { name: 'eligible.leader.replicas.version', min: 0, max: 1, level: 1 },
  { name: 'group.version', min: 0, max: 1, level: 1 },
  { name: 'share.version', min: 0, max: 2, level: 2 },
]

/** Codes of UpdateFeatures. */
export const upgradeTypes = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const

export type FeatureUpdate = { readonly name: string; readonly level: number; readonly upgradeType: number }

export class Features {
  readonly #metadata: MetadataLog

  constructor(metadata: MetadataLog) {
    this.#metadata = metadata
  }

  get supported(): readonly Feature[] {
    return served
  }

  /** The level in force; 0 where the feature is off, or not known here. */
  level(name: string): number {
    const feature = served.find((each) => each.name === name)
    return feature === undefined ? 0 : (this.#metadata.state.features.get(name) ?? feature.level)
  }

  /** What is switched on, and at which level. */
  finalised(): { name: string; level: number }[] {
    return served.map(({ name }) => ({ name, level: this.level(name) })).filter(({ level }) => level > 0)
  }

  /** Grows with every change of the cluster's state, as Kafka's does. */
  get epoch(): number {
    return this.#metadata.endOffset - 1
  }

  /** What stands against an update. The sentences are searched for, so they follow those of the real controller. */
  check({ name, level, upgradeType }: FeatureUpdate, nodeId: number): Refusal | undefined {
    const refuse = (why: string) =>
      new Refusal('INVALID_UPDATE_VERSION', `Invalid update version ${level} for feature ${name}. ${why}`)
    const feature = served.find((each) => each.name === name)
    const types: readonly number[] = Object.values(upgradeTypes)
    if (!types.includes(upgradeType)) return refuse('The controller does not support the given upgrade type.')
    if (level < 0) return refuse('A feature version cannot be less than 0.')
    if (feature === undefined) {
      return refuse(
        level === 0 ? `Feature ${name} not found.` : `Local controller ${nodeId} does not support this feature.`,
      )
    }
    if (level < feature.min || level > feature.max) {
      return refuse(`Local controller ${nodeId} only supports versions ${feature.min}-${feature.max}`)
    }
    const current = this.level(name)
    if (current > level) return this.#checkDowngrade(feature, level, upgradeType, refuse)
    if (current === level || upgradeType === upgradeTypes.upgrade) return undefined
    return refuse("Can't downgrade to a newer version.")
  }

  #checkDowngrade(
    { name }: Feature,
    level: number,
    upgradeType: number,
    refuse: (why: string) => Refusal,
  ): Refusal | undefined {
    if (name === 'kraft.version') return refuse("Can't downgrade the version of this feature.")
    if (upgradeType === upgradeTypes.upgrade) {
      const without = "Can't downgrade the version of this feature without setting the upgrade type to either"
      return refuse(`${without} safe or unsafe downgrade.`)
    }
    if (name !== 'metadata.version') return undefined
    const what = `Unsupported metadata.version downgrade from ${this.level(name)} to ${level}.`
    const why =
      upgradeType === upgradeTypes.safeDowngrade
        ? 'Refusing to perform the requested downgrade because it might delete metadata information.'
        : 'Unsafe metadata downgrade is not supported in this version.'
    return new Refusal('INVALID_UPDATE_VERSION', `${what} ${why}`)
  }

  /** Sets levels that check has passed; resolves when they are durable. Throws StorageError. */
  finalise(updates: readonly FeatureUpdate[]): Promise<void> {
    return this.#metadata.commit(updates.map(({ name, level }) => ({ v: 1, type: 'feature', name, level })))
  }
}
