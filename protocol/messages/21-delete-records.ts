// DeleteRecords, key 21: versions 0-2, flexible from 2.

import { api, array, int16, int32, int64, string } from '../schema.ts'

export const deleteRecords = api(
  21,
  'DeleteRecords',
  '0-2',
  '2+',
  {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        offset: int64(),
      }),
    }),
    timeoutMs: int32(),
  },
  {
    throttleTimeMs: int32('0+'),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
)
