// DescribeQuorum, key 55: versions 0-2, flexible from 0.
//   v2: answer +errorMessage +errorMessage +nodes

import { api, array, int16, int32, int64, string, uint16, uuid } from '../schema.ts'

const replicaState = {
  replicaId: int32(),
  replicaDirectoryId: uuid('2+'),
  logEndOffset: int64(),
  lastFetchTimestamp: int64('1+', { default: -1 }),
  lastCaughtUpTimestamp: int64('1+', { default: -1 }),
} as const

export const describeQuorum = api(
  55,
  'DescribeQuorum',
  '0-2',
  '0+',
  {
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  {
    errorCode: int16(),
    errorMessage: string('2+', { nullable: '2+' }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string('2+', { nullable: '2+' }),
        leaderId: int32(),
        leaderEpoch: int32(),
        highWatermark: int64(),
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array(
      {
        nodeId: int32('2+'),
        listeners: array(
          {
            name: string('2+'),
            host: string('2+'),
            port: uint16('2+'),
          },
          '2+',
        ),
      },
      '2+',
    ),
  },
)
