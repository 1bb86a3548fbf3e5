// WriteTxnMarkers, key 27: versions 1-2, flexible from 1.
//   v2: request +transactionVersion (KIP-1228)

import { api, array, bool, int8, int16, int32, int64, string } from '../schema.ts'

export const writeTxnMarkers = api(
  27,
  'WriteTxnMarkers',
  '1-2',
  '1+',
  {
    markers: array({
      producerId: int64(),
      producerEpoch: int16(),
      transactionResult: bool(),
      topics: array({
        name: string(),
        partitionIndexes: array(int32()),
      }),
      coordinatorEpoch: int32(),
      transactionVersion: int8('2+'),
    }),
  },
  {
    markers: array({
      producerId: int64(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          errorCode: int16(),
        }),
      }),
    }),
  },
)
