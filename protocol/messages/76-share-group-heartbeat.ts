// ShareGroupHeartbeat, key 76: versions 1, flexible from 0.

import { api, array, int16, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid(),
  partitions: array(int32()),
} as const

export const shareGroupHeartbeat = api(
  76,
  'ShareGroupHeartbeat',
  '1',
  '0+',
  {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: string('0+', { nullable: '0+', default: null }),
    subscribedTopicNames: array(string(), '0+', { nullable: '0+', default: null }),
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
