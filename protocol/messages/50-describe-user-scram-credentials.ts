// DescribeUserScramCredentials, key 50: versions 0, flexible from 0.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const describeUserScramCredentials = api(
  50,
  'DescribeUserScramCredentials',
  '0',
  '0+',
  {
    users: array(
      {
        name: string(),
      },
      '0+',
      { nullable: '0+' },
    ),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
      credentialInfos: array({
        mechanism: int8(),
        iterations: int32(),
      }),
    }),
  },
)
