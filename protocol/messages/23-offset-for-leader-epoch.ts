// OffsetForLeaderEpoch, key 23: versions 2-4, flexible from 4.
//   v3: request +replicaId

import { api, array, int16, int32, int64, string } from '../schema.ts'

export const offsetForLeaderEpoch = api(
  23,
  'OffsetForLeaderEpoch',
  '2-4',
  '4+',
  {
    replicaId: int32('3+', { default: -2 }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32('0+', { default: -1 }),
        leaderEpoch: int32(),
      }),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32('0+', { default: -1 }),
        endOffset: int64('0+', { default: -1 }),
      }),
    }),
  },
)
