// Joins the coordinator to a broker: its log is the internal topic `__transaction_state`, its markers go into partitions.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Broker } from '../broker/broker.ts'
import { InternalTopic } from '../broker/internal-topic.ts'
import type { Groups } from '../group/coordinator.ts'
import { type TransactionConfig, transactionConfigDefaults } from './config.ts'
import { Transactions } from './coordinator.ts'
import type { Mark } from './markers.ts'

export const offsetsTopic = '__consumer_offsets'
export const transactionsTopic = '__transaction_state'

/** A marker that a partition refuses for these has nothing to end there any more. */
const pointless: ReadonlySet<ErrorName> = new Set(['INVALID_PRODUCER_EPOCH', 'TRANSACTION_COORDINATOR_FENCED'])

export function transactionsOn(broker: Broker, groups: Groups): Transactions {
  const { clock } = broker
  const log = logOn(broker)
  // A transactional id lies where the topic's partitions put it, whatever the option says today.
  const config = { ...configOf(broker), 'transaction.state.log.num.partitions': log.partitionCount }
  const mark: Mark = async (topic, index, marker) => {
    const partition = broker.topic(topic)?.partitions[index]
    if (partition === undefined) return true
    const ended = topic === offsetsTopic ? groups.transactions.settle(index, marker) : partition.appendMarker(marker)
    const refusal = await ended
    return refusal === undefined || pointless.has(refusal.error) || partition.isRemoved
  }
  const version = () => broker.features.level('transaction.version')
  return new Transactions({ clock, config, log, version, newProducerId: () => broker.newProducerId(), mark })
}

function configOf({ config }: Broker): TransactionConfig {
  const names = Object.keys(transactionConfigDefaults) as (keyof TransactionConfig)[]
  return Object.fromEntries(names.map((name) => [name, config.number(name)])) as unknown as TransactionConfig
}

function logOn(broker: Broker): InternalTopic {
  const { config } = broker
  return new InternalTopic(broker, {
    name: transactionsTopic,
    partitions:
      broker.topic(transactionsTopic)?.partitions.length ?? config.number('transaction.state.log.num.partitions'),
    configs: {
      'cleanup.policy': 'compact',
      'compression.type': 'uncompressed',
      'segment.bytes': String(config.number('transaction.state.log.segment.bytes')),
    },
  })
}
