// SaslAuthenticate: as SaslHandshake, refused where nobody has to say who they are.

import { errors } from '../../protocol/errors.ts'
import { saslAuthenticate } from '../../protocol/messages/36-sasl-authenticate.ts'
import { emptyBytes } from '../../protocol/schema.ts'
import { serve } from './api.ts'

export const saslAuthenticateApi = serve(saslAuthenticate, [0, 2], () => ({
  errorCode: errors.ILLEGAL_SASL_STATE.code,
  errorMessage: 'SaslAuthenticate request received after successful authentication',
  authBytes: emptyBytes,
}))
