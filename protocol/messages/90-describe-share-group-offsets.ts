// DescribeShareGroupOffsets, key 90: versions 0-1, flexible from 0.
//   v1: answer +lag

import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

export const describeShareGroupOffsets = api(
  90,
  'DescribeShareGroupOffsets',
  '0-1',
  '0+',
  {
    groups: array({
      groupId: string(),
      topics: array(
        {
          topicName: string(),
          partitions: array(int32()),
        },
        '0+',
        { nullable: '0+' },
      ),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    groups: array({
      groupId: string(),
      topics: array({
        topicName: string(),
        topicId: uuid(),
        partitions: array({
          partitionIndex: int32(),
          startOffset: int64(),
          leaderEpoch: int32(),
          lag: int64('1+', { default: -1 }),
          errorCode: int16(),
          errorMessage: string('0+', { nullable: '0+', default: null }),
        }),
      }),
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
)
