// CreateDelegationToken: a secret that stands for a user (KIP-48). Who has not said who they are cannot have one.

import { errors } from '../../protocol/errors.ts'
import { createDelegationToken } from '../../protocol/messages/38-create-delegation-token.ts'
import { emptyBytes } from '../../protocol/schema.ts'
import { serve } from './api.ts'

export const createDelegationTokenApi = serve(createDelegationToken, [1, 3], (request, { client }) => {
  const [, type = '', name = ''] = /^([^:]*):(.*)$/s.exec(client.principal) ?? []
  const { ownerPrincipalType, ownerPrincipalName } = request
  const hasOwner = ownerPrincipalName !== null && ownerPrincipalName !== ''
  return {
    errorCode: errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.code,
    principalType: hasOwner ? (ownerPrincipalType ?? '') : type,
    principalName: hasOwner ? ownerPrincipalName : name,
    tokenRequesterPrincipalType: type,
    tokenRequesterPrincipalName: name,
    issueTimestampMs: -1,
    expiryTimestampMs: -1,
    maxTimestampMs: -1,
    tokenId: '',
    hmac: emptyBytes,
  }
})
