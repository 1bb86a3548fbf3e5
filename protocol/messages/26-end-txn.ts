// EndTxn, key 26: versions 0-5, flexible from 3.
//   v5: answer +producerId +producerEpoch

import { api, bool, int16, int32, int64, string } from '../schema.ts'

export const endTxn = api(
  26,
  'EndTxn',
  '0-5',
  '3+',
  {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    producerId: int64('5+', { default: -1 }),
    producerEpoch: int16('5+', { default: -1 }),
  },
)
