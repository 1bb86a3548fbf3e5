// DescribeLogDirs, key 35: versions 1-5, flexible from 2.
//   v3: answer +errorCode
//   v4: answer +totalBytes +usableBytes
//   v5: answer +isCordoned

import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

export const describeLogDirs = api(
  35,
  'DescribeLogDirs',
  '1-5',
  '2+',
  {
    topics: array(
      {
        topic: string(),
        partitions: array(int32()),
      },
      '0+',
      { nullable: '0+' },
    ),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('3+'),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64('4+', { default: -1 }),
      usableBytes: int64('4+', { default: -1 }),
      isCordoned: bool('5+'),
    }),
  },
)
