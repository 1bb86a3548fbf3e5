// UnregisterBroker: makes the cluster forget a broker that is gone (KIP-841). None that lives can be forgotten.

import { errors } from '../../protocol/errors.ts'
import { unregisterBroker } from '../../protocol/messages/64-unregister-broker.ts'
import { serve } from './api.ts'

export const unregisterBrokerApi = serve(unregisterBroker, [0, 0], ({ brokerId }, { broker, client }) => {
  if (broker.nodes(client.listener).some(({ nodeId }) => nodeId === brokerId)) {
    const errorMessage = `Broker ${brokerId} is running: stop it first.`
    return { errorCode: errors.INVALID_REQUEST.code, errorMessage }
  }
  const errorMessage = `Broker ID ${brokerId} is not currently registered`
  return { errorCode: errors.BROKER_ID_NOT_REGISTERED.code, errorMessage }
})
