// While replicas are told eligible (KIP-966) all brokers must count the same copies: min.insync.replicas is said once, for all
// of them, and neither taken back nor said of one alone. A new cluster begins with that, as Kafka 4.4 does.

import { Refusal } from '../../protocol/errors.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { Overrides } from './config-alter.ts'
import { configSources } from './config-table.ts'
import type { Features } from './features.ts'
import type { MetadataRecord } from './metadata-log.ts'

const option = 'min.insync.replicas'
const allBrokers = ''
const isOn = (features: Features): boolean => features.level('eligible.leader.replicas.version') > 0

/** What has to be noted so that it is said once; nothing where it is so already. */
export function insyncSaidOnce(
  features: Features,
  brokerConfigs: ReadonlyMap<string, Readonly<Overrides>>,
  config: BrokerConfig,
): (MetadataRecord & { type: 'config' })[] {
  if (!isOn(features)) return []
  const record = (name: string, configs: Readonly<Overrides>) =>
    ({ v: 1, type: 'config', of: 'broker', name, configs }) as const
  const atStart = config.synonyms(option).find(({ source }) => source >= configSources.staticBroker)?.value
  const ofAll = brokerConfigs.get(allBrokers) ?? {}
  const said = ofAll[option] === undefined ? [record(allBrokers, { ...ofAll, [option]: atStart ?? '1' })] : []
  const alone = [...brokerConfigs].filter(([name, configs]) => name !== allBrokers && option in configs)
  return [...said, ...alone.map(([name, { [option]: _, ...rest }]) => record(name, rest))]
}

/** What stands against the next overrides of one broker, or of all (`name` ''). `touched`: the options that a request names. */
export function refuseInsync(
  features: Features,
  name: string,
  touched: readonly string[],
  next: Readonly<Overrides>,
): Refusal | undefined {
  if (!isOn(features)) return undefined
  if (name !== allBrokers) {
    if (!touched.includes(option)) return undefined
    return new Refusal('INVALID_CONFIG', `Broker-level ${option} cannot be altered while ELR is enabled.`)
  }
  if (option in next) return undefined
  return new Refusal('INVALID_CONFIG', `Cluster-level ${option} cannot be removed while ELR is enabled.`)
}
