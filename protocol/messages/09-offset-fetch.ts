// OffsetFetch, key 9: versions 1-10, flexible from 6.
//   v2: answer +errorCode
//   v3: answer +throttleTimeMs
//   v5: answer +committedLeaderEpoch
//   v7: request +requireStable
//   v8: request -groupId -name -partitionIndexes -topics +groups; answer -name -partitionIndex -committedOffset -committedLeaderEpoch -metadata -errorCode -partitions -topics -errorCode +groups

import { api, array, bool, int16, int32, int64, string, uuid } from '../schema.ts'

export const offsetFetch = api(
  9,
  'OffsetFetch',
  '1-10',
  '6+',
  {
    groupId: string('0-7'),
    topics: array(
      {
        name: string('0-7'),
        partitionIndexes: array(int32(), '0-7'),
      },
      '0-7',
      { nullable: '2-7' },
    ),
    groups: array(
      {
        groupId: string('8+'),
        memberId: string('9+', { nullable: '9+', default: null }),
        memberEpoch: int32('9+', { default: -1 }),
        topics: array(
          {
            name: string('8-9'),
            topicId: uuid('10+'),
            partitionIndexes: array(int32(), '8+'),
          },
          '8+',
          { nullable: '8+' },
        ),
      },
      '8+',
    ),
    requireStable: bool('7+'),
  },
  {
    throttleTimeMs: int32('3+'),
    topics: array(
      {
        name: string('0-7'),
        partitions: array(
          {
            partitionIndex: int32('0-7'),
            committedOffset: int64('0-7'),
            committedLeaderEpoch: int32('5-7', { default: -1 }),
            metadata: string('0-7', { nullable: '0-7' }),
            errorCode: int16('0-7'),
          },
          '0-7',
        ),
      },
      '0-7',
    ),
    errorCode: int16('2-7'),
    groups: array(
      {
        groupId: string('8+'),
        topics: array(
          {
            name: string('8-9'),
            topicId: uuid('10+'),
            partitions: array(
              {
                partitionIndex: int32('8+'),
                committedOffset: int64('8+'),
                committedLeaderEpoch: int32('8+', { default: -1 }),
                metadata: string('8+', { nullable: '8+' }),
                errorCode: int16('8+'),
              },
              '8+',
            ),
          },
          '8+',
        ),
        errorCode: int16('8+'),
      },
      '8+',
    ),
  },
)
