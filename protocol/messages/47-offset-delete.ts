// OffsetDelete, key 47: versions 0, flexible never.

import { api, array, int16, int32, string } from '../schema.ts'

export const offsetDelete = api(
  47,
  'OffsetDelete',
  '0',
  'none',
  {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  {
    errorCode: int16(),
    throttleTimeMs: int32('0+'),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
)
