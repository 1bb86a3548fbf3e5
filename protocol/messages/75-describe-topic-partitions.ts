// DescribeTopicPartitions, key 75: versions 0, flexible from 0.

import { api, array, bool, int16, int32, string, struct, uuid } from '../schema.ts'

export const describeTopicPartitions = api(
  75,
  'DescribeTopicPartitions',
  '0',
  '0+',
  {
    topics: array({
      name: string(),
    }),
    responsePartitionLimit: int32('0+', { default: 2000 }),
    cursor: struct(
      {
        topicName: string(),
        partitionIndex: int32(),
      },
      '0+',
      { nullable: '0+', default: null },
    ),
  },
  {
    throttleTimeMs: int32('0+'),
    topics: array({
      errorCode: int16(),
      name: string('0+', { nullable: '0+' }),
      topicId: uuid(),
      isInternal: bool(),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32('0+', { default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        eligibleLeaderReplicas: array(int32(), '0+', { nullable: '0+', default: null }),
        lastKnownElr: array(int32(), '0+', { nullable: '0+', default: null }),
        offlineReplicas: array(int32()),
      }),
      topicAuthorizedOperations: int32('0+', { default: -2147483648 }),
    }),
    nextCursor: struct(
      {
        topicName: string(),
        partitionIndex: int32(),
      },
      '0+',
      { nullable: '0+', default: null },
    ),
  },
)
