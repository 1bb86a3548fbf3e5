// DescribeGroups, key 15: versions 0-6, flexible from 5.
//   v1: answer +throttleTimeMs
//   v3: request +includeAuthorizedOperations; answer +authorizedOperations
//   v4: answer +groupInstanceId
//   v6: answer +errorMessage

import { api, array, bool, bytes, int16, int32, string } from '../schema.ts'

export const describeGroups = api(
  15,
  'DescribeGroups',
  '0-6',
  '5+',
  {
    groups: array(string()),
    includeAuthorizedOperations: bool('3+'),
  },
  {
    throttleTimeMs: int32('1+'),
    groups: array({
      errorCode: int16(),
      errorMessage: string('6+', { nullable: '6+', default: null }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string('4+', { nullable: '4+', default: null }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32('3+', { default: -2147483648 }),
    }),
  },
)
