// SaslHandshake: on a listener without SASL nobody has to say who they are, and a real broker says that it is too late.

import { errors } from '../../protocol/errors.ts'
import { saslHandshake } from '../../protocol/messages/17-sasl-handshake.ts'
import { serve } from './api.ts'

export const saslHandshakeApi = serve(saslHandshake, [0, 1], () => ({
  errorCode: errors.ILLEGAL_SASL_STATE.code,
  mechanisms: [],
}))
