// ListConfigResources, key 74: versions 0-1, flexible from 0.
//   v1: request +resourceTypes; answer +resourceType

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const listConfigResources = api(
  74,
  'ListConfigResources',
  '0-1',
  '0+',
  {
    resourceTypes: array(int8(), '1+'),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    configResources: array({
      resourceName: string(),
      resourceType: int8('1+', { default: 16 }),
    }),
  },
)
