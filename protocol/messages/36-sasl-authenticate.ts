// SaslAuthenticate, key 36: versions 0-2, flexible from 2.
//   v1: answer +sessionLifetimeMs

import { api, bytes, int16, int64, string } from '../schema.ts'

export const saslAuthenticate = api(
  36,
  'SaslAuthenticate',
  '0-2',
  '2+',
  {
    authBytes: bytes(),
  },
  {
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes(),
    sessionLifetimeMs: int64('1+'),
  },
)
