// How a partition looks to those who ask who leads it: Metadata and DescribeTopicPartitions say the same.

import { errors } from '../../protocol/errors.ts'
import type { Partition } from '../broker/partition.ts'
import type { Context } from './api.ts'

export function partitionState(partition: Partition, { broker }: Context) {
  const { replicas, isr, leader, epoch } = partition.leadership
  return {
    errorCode: partition.offline === undefined ? 0 : errors.KAFKA_STORAGE_ERROR.code,
    partitionIndex: partition.index,
    leaderId: leader,
    leaderEpoch: epoch,
    replicaNodes: [...replicas],
    isrNodes: [...isr],
    offlineReplicas: replicas.filter((node) => !broker.placement.isRunning(node)),
  }
}
