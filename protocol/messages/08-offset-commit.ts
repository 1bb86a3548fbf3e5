// OffsetCommit, key 8: versions 2-10, flexible from 8.
//   v3: answer +throttleTimeMs
//   v5: request -retentionTimeMs
//   v6: request +committedLeaderEpoch
//   v7: request +groupInstanceId
//   v10: request -name +topicId; answer -name +topicId

import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

export const offsetCommit = api(
  8,
  'OffsetCommit',
  '2-10',
  '8+',
  {
    groupId: string(),
    generationIdOrMemberEpoch: int32('0+', { default: -1 }),
    memberId: string(),
    groupInstanceId: string('7+', { nullable: '7+', default: null }),
    retentionTimeMs: int64('2-4', { default: -1 }),
    topics: array({
      name: string('0-9'),
      topicId: uuid('10+'),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32('6+', { default: -1 }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  },
  {
    throttleTimeMs: int32('3+'),
    topics: array({
      name: string('0-9'),
      topicId: uuid('10+'),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
)
