// ListTransactions, key 66: versions 0-2, flexible from 0.
//   v1: request +durationFilter
//   v2: request +transactionalIdPattern

import { api, array, int16, int32, int64, string } from '../schema.ts'

export const listTransactions = api(
  66,
  'ListTransactions',
  '0-2',
  '0+',
  {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64('1+', { default: -1 }),
    transactionalIdPattern: string('2+', { nullable: '2+', default: null }),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
)
