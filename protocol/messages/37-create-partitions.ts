// CreatePartitions, key 37: versions 0-3, flexible from 2.

import { api, array, bool, int16, int32, string } from '../schema.ts'

export const createPartitions = api(
  37,
  'CreatePartitions',
  '0-3',
  '2+',
  {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array(
        {
          brokerIds: array(int32()),
        },
        '0+',
        { nullable: '0+' },
      ),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  {
    throttleTimeMs: int32('0+'),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
)
