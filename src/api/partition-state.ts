// How a partition looks to those who ask who leads it: Metadata and DescribeTopicPartitions say the same.

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { noLeader } from '../broker/leadership.ts'
import type { Partition } from '../broker/partition.ts'
import type { Context } from './api.ts'

export function partitionState(partition: Partition, { broker }: Context) {
  const { replicas, isr, leader, epoch } = partition.leadership
  const error = partition.offline !== undefined ? 'KAFKA_STORAGE_ERROR' : stateOf(leader)
  return {
    errorCode: errors[error].code,
    partitionIndex: partition.index,
    leaderId: leader,
    leaderEpoch: epoch,
    replicaNodes: [...replicas],
    isrNodes: [...isr],
    offlineReplicas: replicas.filter((node) => !broker.placement.isRunning(node)),
  }
}

const stateOf = (leader: number): ErrorName => (leader === noLeader ? 'LEADER_NOT_AVAILABLE' : 'NONE')
