// PushTelemetry, key 72: versions 0, flexible from 0.

import { api, bool, bytes, int8, int16, int32, uuid } from '../schema.ts'

export const pushTelemetry = api(
  72,
  'PushTelemetry',
  '0',
  '0+',
  {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
  },
)
