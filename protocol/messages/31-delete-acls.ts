// DeleteAcls, key 31: versions 1-3, flexible from 2.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const deleteAcls = api(
  31,
  'DeleteAcls',
  '1-3',
  '2+',
  {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: string('0+', { nullable: '0+' }),
      patternTypeFilter: int8('0+', { default: 3 }),
      principalFilter: string('0+', { nullable: '0+' }),
      hostFilter: string('0+', { nullable: '0+' }),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    filterResults: array({
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: string('0+', { nullable: '0+' }),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8('0+', { default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
)
