// DescribeProducers, key 61: versions 0, flexible from 0.

import { api, array, int16, int32, int64, string } from '../schema.ts'

export const describeProducers = api(
  61,
  'DescribeProducers',
  '0',
  '0+',
  {
    topics: array({
      name: string(),
      partitionIndexes: array(int32()),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        activeProducers: array({
          producerId: int64(),
          producerEpoch: int32(),
          lastSequence: int32('0+', { default: -1 }),
          lastTimestamp: int64('0+', { default: -1 }),
          coordinatorEpoch: int32(),
          currentTxnStartOffset: int64('0+', { default: -1 }),
        }),
      }),
    }),
  },
)
