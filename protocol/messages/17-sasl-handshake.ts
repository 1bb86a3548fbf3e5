// SaslHandshake, key 17: versions 0-1, flexible never.

import { api, array, int16, string } from '../schema.ts'

export const saslHandshake = api(
  17,
  'SaslHandshake',
  '0-1',
  'none',
  {
    mechanism: string(),
  },
  {
    errorCode: int16(),
    mechanisms: array(string()),
  },
)
