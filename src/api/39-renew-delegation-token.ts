// RenewDelegationToken: lengthens its life. Refused like the making of one.

import { errors } from '../../protocol/errors.ts'
import { renewDelegationToken } from '../../protocol/messages/39-renew-delegation-token.ts'
import { serve } from './api.ts'

export const renewDelegationTokenApi = serve(renewDelegationToken, [1, 2], () => ({
  errorCode: errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.code,
  expiryTimestampMs: -1,
}))
