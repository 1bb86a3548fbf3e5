// ListOffsets, key 2: versions 1-11, flexible from 6.
//   v2: request +isolationLevel; answer +throttleTimeMs
//   v4: request +currentLeaderEpoch; answer +leaderEpoch
//   v10: request +timeoutMs

import { api, array, int8, int16, int32, int64, string } from '../schema.ts'

export const listOffsets = api(
  2,
  'ListOffsets',
  '1-11',
  '6+',
  {
    replicaId: int32(),
    isolationLevel: int8('2+'),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32('4+', { default: -1 }),
        timestamp: int64(),
      }),
    }),
    timeoutMs: int32('10+'),
  },
  {
    throttleTimeMs: int32('2+'),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64('0+', { default: -1 }),
        offset: int64('0+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  },
)
