// InitProducerId, key 22: versions 0-6, flexible from 2.
//   v3: request +producerId +producerEpoch
//   v6: request +enable2Pc +keepPreparedTxn; answer +ongoingTxnProducerId +ongoingTxnProducerEpoch

import { api, bool, int16, int32, int64, string } from '../schema.ts'

export const initProducerId = api(
  22,
  'InitProducerId',
  '0-6',
  '2+',
  {
    transactionalId: string('0+', { nullable: '0+' }),
    transactionTimeoutMs: int32(),
    producerId: int64('3+', { default: -1 }),
    producerEpoch: int16('3+', { default: -1 }),
    enable2Pc: bool('6+'),
    keepPreparedTxn: bool('6+'),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    producerId: int64('0+', { default: -1 }),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64('6+', { default: -1 }),
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }),
  },
)
