// DescribeConfigs, key 32: versions 1-4, flexible from 4.
//   v3: request +includeDocumentation; answer +configType +documentation

import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const describeConfigs = api(
  32,
  'DescribeConfigs',
  '1-4',
  '4+',
  {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configurationKeys: array(string(), '0+', { nullable: '0+' }),
    }),
    includeSynonyms: bool(),
    includeDocumentation: bool('3+'),
  },
  {
    throttleTimeMs: int32('0+'),
    results: array({
      errorCode: int16(),
      errorMessage: string('0+', { nullable: '0+' }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string('0+', { nullable: '0+' }),
        readOnly: bool(),
        configSource: int8('0+', { default: -1 }),
        isSensitive: bool(),
        synonyms: array({
          name: string(),
          value: string('0+', { nullable: '0+' }),
          source: int8(),
        }),
        configType: int8('3+'),
        documentation: string('3+', { nullable: '0+' }),
      }),
    }),
  },
)
