// DescribeClientQuotas, key 48: versions 0-1, flexible from 1.

import { api, array, bool, float64, int8, int16, int32, string } from '../schema.ts'

export const describeClientQuotas = api(
  48,
  'DescribeClientQuotas',
  '0-1',
  '1+',
  {
    components: array({
      entityType: string(),
      matchType: int8(),
      match: string('0+', { nullable: '0+' }),
    }),
    strict: bool(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
    entries: array(
      {
        entity: array({
          entityType: string(),
          entityName: string('0+', { nullable: '0+' }),
        }),
        values: array({
          key: string(),
          value: float64(),
        }),
      },
      '0+',
      { nullable: '0+' },
    ),
  },
)
