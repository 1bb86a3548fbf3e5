// ExpireDelegationToken, key 40: versions 1-2, flexible from 2.

import { api, bytes, int16, int32, int64 } from '../schema.ts'

export const expireDelegationToken = api(
  40,
  'ExpireDelegationToken',
  '1-2',
  '2+',
  {
    hmac: bytes(),
    expiryTimePeriodMs: int64(),
  },
  {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32('0+'),
  },
)
