// ElectLeaders, key 43: versions 0-2, flexible from 2.
//   v1: request +electionType; answer +errorCode

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const electLeaders = api(
  43,
  'ElectLeaders',
  '0-2',
  '2+',
  {
    electionType: int8('1+'),
    topicPartitions: array(
      {
        topic: string(),
        partitions: array(int32()),
      },
      '0+',
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60000 }),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({
        partitionId: int32(),
        errorCode: int16(),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
