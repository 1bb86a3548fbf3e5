// GetTelemetrySubscriptions, key 71: versions 0, flexible from 0.

import { api, array, bool, int8, int16, int32, string, uuid } from '../schema.ts'

export const getTelemetrySubscriptions = api(
  71,
  'GetTelemetrySubscriptions',
  '0',
  '0+',
  {
    clientInstanceId: uuid(),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    acceptedCompressionTypes: array(int8()),
    pushIntervalMs: int32(),
    telemetryMaxBytes: int32(),
    deltaTemporality: bool(),
    requestedMetrics: array(string()),
  },
)
