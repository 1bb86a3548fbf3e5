// Heartbeat, key 12: versions 0-4, flexible from 4.
//   v1: answer +throttleTimeMs
//   v3: request +groupInstanceId

import { api, int16, int32, string } from '../schema.ts'

export const heartbeat = api(
  12,
  'Heartbeat',
  '0-4',
  '4+',
  {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
  },
  {
    throttleTimeMs: int32('1+'),
    errorCode: int16(),
  },
)
