// DescribeDelegationToken: which tokens there are. Refused like the making of one.

import { errors } from '../../protocol/errors.ts'
import { describeDelegationToken } from '../../protocol/messages/41-describe-delegation-token.ts'
import { serve } from './api.ts'

export const describeDelegationTokenApi = serve(describeDelegationToken, [1, 3], () => ({
  errorCode: errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.code,
  tokens: [],
}))
