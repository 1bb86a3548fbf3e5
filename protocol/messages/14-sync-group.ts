// SyncGroup, key 14: versions 0-5, flexible from 4.
//   v1: answer +throttleTimeMs
//   v3: request +groupInstanceId
//   v5: request +protocolType +protocolName; answer +protocolType +protocolName

import { api, array, bytes, int16, int32, string } from '../schema.ts'

export const syncGroup = api(
  14,
  'SyncGroup',
  '0-5',
  '4+',
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    protocolType: string('5+', { nullable: '5+', default: null }),
    protocolName: string('5+', { nullable: '5+', default: null }),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
  {
    throttleTimeMs: int32('1+'),
    errorCode: int16(),
    protocolType: string('5+', { nullable: '5+', default: null }),
    protocolName: string('5+', { nullable: '5+', default: null }),
    assignment: bytes(),
  },
)
