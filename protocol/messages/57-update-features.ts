// UpdateFeatures, key 57: versions 0-2, flexible from 0.
//   v1: request -allowDowngrade +upgradeType +validateOnly
//   v2: answer -results

import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const updateFeatures = api(
  57,
  'UpdateFeatures',
  '0-2',
  '0+',
  {
    timeoutMs: int32('0+', { default: 60000 }),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool('0'),
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+'),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16(),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array(
      {
        feature: string(),
        errorCode: int16(),
        errorMessage: string('0+', { nullable: '0+' }),
      },
      '0-1',
    ),
  },
)
