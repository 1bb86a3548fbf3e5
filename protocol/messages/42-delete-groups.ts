// DeleteGroups, key 42: versions 0-3, flexible from 2.
//   v3: answer +errorMessage

import { api, array, int16, int32, string } from '../schema.ts'

export const deleteGroups = api(
  42,
  'DeleteGroups',
  '0-3',
  '2+',
  {
    groupsNames: array(string()),
  },
  {
    throttleTimeMs: int32('0+'),
    results: array({
      groupId: string(),
      errorCode: int16(),
      errorMessage: string('3+', { nullable: '3+', default: null }),
    }),
  },
)
