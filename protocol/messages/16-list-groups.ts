// ListGroups, key 16: versions 0-5, flexible from 3.
//   v1: answer +throttleTimeMs
//   v4: request +statesFilter; answer +groupState
//   v5: request +typesFilter; answer +groupType

import { api, array, int16, int32, string } from '../schema.ts'

export const listGroups = api(
  16,
  'ListGroups',
  '0-5',
  '3+',
  {
    statesFilter: array(string(), '4+'),
    typesFilter: array(string(), '5+'),
  },
  {
    throttleTimeMs: int32('1+'),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string('4+'),
      groupType: string('5+'),
    }),
  },
)
