// How many nodes a new partition is dealt to, and to which, where nobody has chosen.

import type { NewTopic } from './broker.ts'
import type { BrokerConfig } from './broker-config.ts'
import { coordinatorKinds, coordinatorTopics, type Placement } from './placement.ts'

/** Never more than there are. */
export function defaultReplicationFactor(name: string, config: BrokerConfig, { ids }: Placement): number {
  const kind = coordinatorKinds.find((each) => coordinatorTopics[each].name === name)
  if (kind === undefined) return Math.min(config.number('default.replication.factor'), ids.length)
  const { replicationFactor } = coordinatorTopics[kind]
  const wanted = config.isSet(replicationFactor) ? config.number(replicationFactor) : 3
  return Math.min(wanted, ids.length)
}

/** Replicas of `count` new partitions; `turn` says which node is the next to lead. */
export function deal(
  { name, replicas, replicationFactor = -1 }: Omit<NewTopic, 'partitions'>,
  turn: number,
  count: number,
  config: BrokerConfig,
  placement: Placement,
): NonNullable<NewTopic['replicas']> {
  if (replicas !== undefined) return replicas
  const factor = replicationFactor === -1 ? defaultReplicationFactor(name, config, placement) : replicationFactor
  return placement.spread(turn, count, factor)
}
