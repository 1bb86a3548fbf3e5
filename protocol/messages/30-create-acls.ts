// CreateAcls, key 30: versions 1-3, flexible from 2.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const createAcls = api(
  30,
  'CreateAcls',
  '1-3',
  '2+',
  {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8('0+', { default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    results: array({
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  },
)
