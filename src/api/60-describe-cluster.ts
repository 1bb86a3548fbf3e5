// DescribeCluster: the brokers, and which one takes admin requests (KIP-700).

import { errors } from '../../protocol/errors.ts'
import { describeCluster } from '../../protocol/messages/60-describe-cluster.ts'
import { serve } from './api.ts'
import { notAsked, operationsOnCluster } from './authorized-operations.ts'

const brokers = 1
const controllers = 2

export const describeClusterApi = serve(describeCluster, [0, 2], (request, context) => {
  const { broker, client } = context
  if (request.endpointType !== brokers) {
    const known = request.endpointType === controllers
    return {
      errorCode: known ? errors.MISMATCHED_ENDPOINT_TYPE.code : errors.UNSUPPORTED_ENDPOINT_TYPE.code,
      errorMessage: known
        ? 'The request was sent to an endpoint of a broker; controllers have none here.'
        : `Endpoint type ${request.endpointType} is not known.`,
      clusterId: '',
      controllerId: -1,
      brokers: [],
    }
  }
  return {
    errorCode: 0,
    errorMessage: null,
    endpointType: brokers,
    clusterId: broker.clusterId,
    controllerId: broker.placement.controller(),
    brokers: broker.placement.ids
      .map((id) => ({ id, isFenced: !broker.placement.isRunning(id) }))
      .filter(({ isFenced }) => !isFenced || request.includeFencedBrokers)
      .map(({ id, isFenced }) => {
        const { host, port } = broker.placement.endpoint(client.listener, id)
        return { brokerId: id, host, port, rack: null, isFenced }
      }),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? operationsOnCluster(context) : notAsked,
  }
})
