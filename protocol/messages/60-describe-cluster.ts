// DescribeCluster, key 60: versions 0-2, flexible from 0.
//   v1: request +endpointType; answer +endpointType
//   v2: request +includeFencedBrokers; answer +isFenced

import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const describeCluster = api(
  60,
  'DescribeCluster',
  '0-2',
  '0+',
  {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8('1+', { default: 1 }),
    includeFencedBrokers: bool('2+'),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    endpointType: int8('1+', { default: 1 }),
    clusterId: string(),
    controllerId: int32('0+', { default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string('0+', { nullable: '0+', default: null }),
      isFenced: bool('2+'),
    }),
    clusterAuthorizedOperations: int32('0+', { default: -2147483648 }),
  },
)
