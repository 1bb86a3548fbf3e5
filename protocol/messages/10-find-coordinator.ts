// FindCoordinator, key 10: versions 0-6, flexible from 3.
//   v1: request +keyType; answer +throttleTimeMs +errorMessage
//   v4: request -key +coordinatorKeys; answer -errorCode -errorMessage -nodeId -host -port +coordinators

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const findCoordinator = api(
  10,
  'FindCoordinator',
  '0-6',
  '3+',
  {
    key: string('0-3'),
    keyType: int8('1+'),
    coordinatorKeys: array(string(), '4+'),
  },
  {
    throttleTimeMs: int32('1+'),
    errorCode: int16('0-3'),
    errorMessage: string('1-3', { nullable: '1-3' }),
    nodeId: int32('0-3'),
    host: string('0-3'),
    port: int32('0-3'),
    coordinators: array(
      {
        key: string('4+'),
        nodeId: int32('4+'),
        host: string('4+'),
        port: int32('4+'),
        errorCode: int16('4+'),
        errorMessage: string('4+', { nullable: '4+' }),
      },
      '4+',
    ),
  },
)
