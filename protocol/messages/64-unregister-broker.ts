// UnregisterBroker, key 64: versions 0, flexible from 0.

import { api, int16, int32, string } from '../schema.ts'

export const unregisterBroker = api(
  64,
  'UnregisterBroker',
  '0',
  '0+',
  {
    brokerId: int32(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
  },
)
