// AddOffsetsToTxn, key 25: versions 0-4, flexible from 3.

import { api, int16, int32, int64, string } from '../schema.ts'

export const addOffsetsToTxn = api(
  25,
  'AddOffsetsToTxn',
  '0-4',
  '3+',
  {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
  },
)
