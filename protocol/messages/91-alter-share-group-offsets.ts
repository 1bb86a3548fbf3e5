// AlterShareGroupOffsets, key 91: versions 0, flexible from 0.

import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

export const alterShareGroupOffsets = api(
  91,
  'AlterShareGroupOffsets',
  '0',
  '0+',
  {
    groupId: string(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        startOffset: int64(),
      }),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  },
)
