// LeaveGroup, key 13: versions 0-5, flexible from 4.
//   v1: answer +throttleTimeMs
//   v3: request -memberId +members; answer +members

import { api, array, int16, int32, string } from '../schema.ts'

export const leaveGroup = api(
  13,
  'LeaveGroup',
  '0-5',
  '4+',
  {
    groupId: string(),
    memberId: string('0-2'),
    members: array(
      {
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+', default: null }),
        reason: string('5+', { nullable: '5+', default: null }),
      },
      '3+',
    ),
  },
  {
    throttleTimeMs: int32('1+'),
    errorCode: int16(),
    members: array(
      {
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+' }),
        errorCode: int16('3+'),
      },
      '3+',
    ),
  },
)
