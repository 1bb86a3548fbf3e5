// DescribeDelegationToken, key 41: versions 1-3, flexible from 2.
//   v3: answer +tokenRequesterPrincipalType +tokenRequesterPrincipalName

import { api, array, bytes, int16, int32, int64, string } from '../schema.ts'

export const describeDelegationToken = api(
  41,
  'DescribeDelegationToken',
  '1-3',
  '2+',
  {
    owners: array(
      {
        principalType: string(),
        principalName: string(),
      },
      '0+',
      { nullable: '0+' },
    ),
  },
  {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string('3+'),
      tokenRequesterPrincipalName: string('3+'),
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array({
        principalType: string(),
        principalName: string(),
      }),
    }),
    throttleTimeMs: int32('0+'),
  },
)
