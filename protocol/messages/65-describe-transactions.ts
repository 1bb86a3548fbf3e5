// DescribeTransactions, key 65: versions 0, flexible from 0.

import { api, array, int16, int32, int64, string } from '../schema.ts'

export const describeTransactions = api(
  65,
  'DescribeTransactions',
  '0',
  '0+',
  {
    transactionalIds: array(string()),
  },
  {
    throttleTimeMs: int32('0+'),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      transactionState: string(),
      transactionTimeoutMs: int32(),
      transactionStartTimeMs: int64(),
      producerId: int64(),
      producerEpoch: int16(),
      topics: array({
        topic: string(),
        partitions: array(int32()),
      }),
    }),
  },
)
