// AlterUserScramCredentials, key 51: versions 0, flexible from 0.

import { api, array, bytes, int8, int16, int32, string } from '../schema.ts'

export const alterUserScramCredentials = api(
  51,
  'AlterUserScramCredentials',
  '0',
  '0+',
  {
    deletions: array({
      name: string(),
      mechanism: int8(),
    }),
    upsertions: array({
      name: string(),
      mechanism: int8(),
      iterations: int32(),
      salt: bytes(),
      saltedPassword: bytes(),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
    }),
  },
)
