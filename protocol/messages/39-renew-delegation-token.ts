// RenewDelegationToken, key 39: versions 1-2, flexible from 2.

import { api, bytes, int16, int32, int64 } from '../schema.ts'

export const renewDelegationToken = api(
  39,
  'RenewDelegationToken',
  '1-2',
  '2+',
  {
    hmac: bytes(),
    renewPeriodMs: int64(),
  },
  {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32('0+'),
  },
)
