// AlterClientQuotas, key 49: versions 0-1, flexible from 1.

import { api, array, bool, float64, int16, int32, string } from '../schema.ts'

export const alterClientQuotas = api(
  49,
  'AlterClientQuotas',
  '0-1',
  '1+',
  {
    entries: array({
      entity: array({
        entityType: string(),
        entityName: string('0+', { nullable: '0+' }),
      }),
      ops: array({
        key: string(),
        value: float64(),
        remove: bool(),
      }),
    }),
    validateOnly: bool(),
  },
  {
    throttleTimeMs: int32('0+'),
    entries: array({
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
      entity: array({
        entityType: string(),
        entityName: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
