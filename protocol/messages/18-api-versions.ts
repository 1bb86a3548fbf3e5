// ApiVersions, key 18: versions 0-5, flexible from 3.
//   v1: answer +throttleTimeMs
//   v3: request +clientSoftwareName +clientSoftwareVersion; answer +supportedFeatures +finalizedFeaturesEpoch +finalizedFeatures +zkMigrationReady
//   v5: request +clusterId +nodeId

import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

export const apiVersions = api(
  18,
  'ApiVersions',
  '0-5',
  '3+',
  {
    clientSoftwareName: string('3+'),
    clientSoftwareVersion: string('3+'),
    clusterId: string('5+', { nullable: '5+', default: null }),
    nodeId: int32('5+', { default: -1 }),
  },
  {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32('1+'),
    supportedFeatures: array(
      {
        name: string('3+'),
        minVersion: int16('3+'),
        maxVersion: int16('3+'),
      },
      '3+',
      { tag: 0, tagged: '3+' },
    ),
    finalizedFeaturesEpoch: int64('3+', { default: -1, tag: 1, tagged: '3+' }),
    finalizedFeatures: array(
      {
        name: string('3+'),
        maxVersionLevel: int16('3+'),
        minVersionLevel: int16('3+'),
      },
      '3+',
      { tag: 2, tagged: '3+' },
    ),
    zkMigrationReady: bool('3+', { tag: 3, tagged: '3+' }),
  },
)
