// TxnOffsetCommit, key 28: versions 0-6, flexible from 3.
//   v2: request +committedLeaderEpoch
//   v3: request +generationIdOrMemberEpoch +memberId +groupInstanceId
//   v6: request -name +topicId; answer -name +topicId

import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

export const txnOffsetCommit = api(
  28,
  'TxnOffsetCommit',
  '0-6',
  '3+',
  {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationIdOrMemberEpoch: int32('3+', { default: -1 }),
    memberId: string('3+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    topics: array({
      name: string('0-5'),
      topicId: uuid('6+'),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32('2+', { default: -1 }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    topics: array({
      name: string('0-5'),
      topicId: uuid('6+'),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
)
