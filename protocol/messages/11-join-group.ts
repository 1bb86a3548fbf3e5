// JoinGroup, key 11: versions 0-9, flexible from 6.
//   v1: request +rebalanceTimeoutMs
//   v2: answer +throttleTimeMs
//   v5: request +groupInstanceId; answer +groupInstanceId
//   v7: answer +protocolType
//   v8: request +reason
//   v9: answer +skipAssignment

import { api, array, bool, bytes, int16, int32, string } from '../schema.ts'

export const joinGroup = api(
  11,
  'JoinGroup',
  '0-9',
  '6+',
  {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32('1+', { default: -1 }),
    memberId: string(),
    groupInstanceId: string('5+', { nullable: '5+', default: null }),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: string('8+', { nullable: '8+', default: null }),
  },
  {
    throttleTimeMs: int32('2+'),
    errorCode: int16(),
    generationId: int32('0+', { default: -1 }),
    protocolType: string('7+', { nullable: '7+', default: null }),
    protocolName: string('0+', { nullable: '7+' }),
    leader: string(),
    skipAssignment: bool('9+'),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string('5+', { nullable: '5+', default: null }),
      metadata: bytes(),
    }),
  },
)
