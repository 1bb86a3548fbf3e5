// CreateDelegationToken, key 38: versions 1-3, flexible from 2.
//   v3: request +ownerPrincipalType +ownerPrincipalName; answer +tokenRequesterPrincipalType +tokenRequesterPrincipalName

import { api, array, bytes, int16, int32, int64, string } from '../schema.ts'

export const createDelegationToken = api(
  38,
  'CreateDelegationToken',
  '1-3',
  '2+',
  {
    ownerPrincipalType: string('3+', { nullable: '3+' }),
    ownerPrincipalName: string('3+', { nullable: '3+' }),
    renewers: array({
      principalType: string(),
      principalName: string(),
    }),
    maxLifetimeMs: int64(),
  },
  {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string('3+'),
    tokenRequesterPrincipalName: string('3+'),
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32('0+'),
  },
)
