// AlterPartitionReassignments, key 45: versions 0-1, flexible from 0.
//   v1: request +allowReplicationFactorChange; answer +allowReplicationFactorChange

import { api, array, bool, int16, int32, string } from '../schema.ts'

export const alterPartitionReassignments = api(
  45,
  'AlterPartitionReassignments',
  '0-1',
  '0+',
  {
    timeoutMs: int32('0+', { default: 60000 }),
    allowReplicationFactorChange: bool('1+', { default: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32(), '0+', { nullable: '0+', default: null }),
      }),
    }),
  },
  {
    throttleTimeMs: int32('0+'),
    allowReplicationFactorChange: bool('1+', { default: true }),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
    responses: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  },
)
