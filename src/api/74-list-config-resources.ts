// ListConfigResources: what has a configuration of its own (KIP-1142). Version 0 knew of client metrics only (KIP-1000).

import { errors } from '../../protocol/errors.ts'
import { listConfigResources } from '../../protocol/messages/74-list-config-resources.ts'
import type { Broker } from '../broker/broker.ts'
import { serve } from './api.ts'
import { resourceTypes } from './config-resource.ts'

/** By type, in the order in which Kafka lists them. */
const names = new Map<number, (broker: Broker) => string[]>([
  [resourceTypes.group, (broker) => broker.groupConfigs.names()],
  [resourceTypes.clientMetrics, (broker) => broker.clientMetrics.names()],
  [resourceTypes.brokerLogger, (broker) => [String(broker.nodeId)]],
  [resourceTypes.broker, (broker) => [String(broker.nodeId)]],
  [resourceTypes.topic, (broker) => broker.listed().map(({ name }) => name)],
])

export const listConfigResourcesApi = serve(listConfigResources, [0, 1], ({ resourceTypes: asked }, context) => {
  const { version, broker } = context
  if (asked.some((type) => !names.has(type))) return { errorCode: errors.UNSUPPORTED_VERSION.code, configResources: [] }
  const isWanted = (type: number) =>
    version === 0 ? type === resourceTypes.clientMetrics : asked.length === 0 || asked.includes(type)
  return {
    errorCode: 0,
    configResources: [...names]
      .filter(([type]) => isWanted(type))
      .flatMap(([resourceType, namesOf]) => namesOf(broker).map((resourceName) => ({ resourceName, resourceType }))),
  }
})
