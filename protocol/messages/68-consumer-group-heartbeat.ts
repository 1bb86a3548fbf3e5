// ConsumerGroupHeartbeat, key 68: versions 0-1, flexible from 0.
//   v1: request +subscribedTopicRegex

import { api, array, int16, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid(),
  partitions: array(int32()),
} as const

export const consumerGroupHeartbeat = api(
  68,
  'ConsumerGroupHeartbeat',
  '0-1',
  '0+',
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string('0+', { nullable: '0+', default: null }),
    rackId: string('0+', { nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    subscribedTopicNames: array(string(), '0+', { nullable: '0+', default: null }),
    subscribedTopicRegex: string('1+', { nullable: '1+', default: null }),
    serverAssignor: string('0+', { nullable: '0+', default: null }),
    topicPartitions: array(
      {
        topicId: uuid(),
        partitions: array(int32()),
      },
      '0+',
      { nullable: '0+', default: null },
    ),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    memberId: string('0+', { nullable: '0+', default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct(
      {
        topicPartitions: array(topicPartitions),
      },
      '0+',
      { nullable: '0+', default: null },
    ),
  },
)
