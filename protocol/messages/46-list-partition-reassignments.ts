// ListPartitionReassignments, key 46: versions 0, flexible from 0.

import { api, array, int16, int32, string } from '../schema.ts'

export const listPartitionReassignments = api(
  46,
  'ListPartitionReassignments',
  '0',
  '0+',
  {
    timeoutMs: int32('0+', { default: 60000 }),
    topics: array(
      {
        name: string(),
        partitionIndexes: array(int32()),
      },
      '0+',
      { nullable: '0+', default: null },
    ),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32()),
        removingReplicas: array(int32()),
      }),
    }),
  },
)
