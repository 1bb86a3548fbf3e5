// AlterReplicaLogDirs, key 34: versions 1-2, flexible from 2.

import { api, array, int16, int32, string } from '../schema.ts'

export const alterReplicaLogDirs = api(
  34,
  'AlterReplicaLogDirs',
  '1-2',
  '2+',
  {
    dirs: array({
      path: string(),
      topics: array({
        name: string(),
        partitions: array(int32()),
      }),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    results: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
)
