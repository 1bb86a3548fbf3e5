// DeleteShareGroupOffsets, key 92: versions 0, flexible from 0.

import { api, array, int16, int32, string, uuid } from '../schema.ts'

export const deleteShareGroupOffsets = api(
  92,
  'DeleteShareGroupOffsets',
  '0',
  '0+',
  {
    groupId: string(),
    topics: array({
      topicName: string(),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
)
