// DescribeAcls, key 29: versions 1-3, flexible from 2.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const describeAcls = api(
  29,
  'DescribeAcls',
  '1-3',
  '2+',
  {
    resourceTypeFilter: int8(),
    resourceNameFilter: string('0+', { nullable: '0+' }),
    patternTypeFilter: int8('0+', { default: 3 }),
    principalFilter: string('0+', { nullable: '0+' }),
    hostFilter: string('0+', { nullable: '0+' }),
    operation: int8(),
    permissionType: int8(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8('0+', { default: 3 }),
      acls: array({
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
)
