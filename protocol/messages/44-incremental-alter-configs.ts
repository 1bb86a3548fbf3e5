// IncrementalAlterConfigs, key 44: versions 0-1, flexible from 1.

import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const incrementalAlterConfigs = api(
  44,
  'IncrementalAlterConfigs',
  '0-1',
  '1+',
  {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        configOperation: int8(),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: bool(),
  },
  {
    throttleTimeMs: int32('0+'),
    responses: array({
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
)
