// ExpireDelegationToken: ends its life. Refused like the making of one.

import { errors } from '../../protocol/errors.ts'
import { expireDelegationToken } from '../../protocol/messages/40-expire-delegation-token.ts'
import { serve } from './api.ts'

export const expireDelegationTokenApi = serve(expireDelegationToken, [1, 2], () => ({
  errorCode: errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.code,
  expiryTimestampMs: -1,
}))
