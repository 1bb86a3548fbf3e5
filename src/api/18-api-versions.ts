// ApiVersions: what is served, computed from what is written; there is no second list.

import { errors } from '../../protocol/errors.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { type Api, serve } from './api.ts'

/** KIP-511: what a client may call itself. */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** `apis`: all that is served, this one included once the list is made. */
export const apiVersionsApi = (apis: () => Iterable<Api>): Api =>
  serve(apiVersions, [0, 5], (request, { client, version, broker, node }) => {
    if (version >= 3) {
      const { clientSoftwareName, clientSoftwareVersion } = request
      if (!softwareName.test(clientSoftwareName) || !softwareName.test(clientSoftwareVersion)) {
        return { errorCode: errors.INVALID_REQUEST.code, apiKeys: [] }
      }
      client.softwareName = clientSoftwareName
      client.softwareVersion = clientSoftwareVersion
    }
    // KIP-1242: a client that means another cluster or node was sent to the wrong address and must begin anew. It says
    // both or neither: a real broker refuses one without the other.
    const { clusterId, nodeId } = request
    if ((clusterId === null) !== (nodeId === -1)) return { errorCode: errors.INVALID_REQUEST.code, apiKeys: [] }
    if (clusterId !== null && (clusterId !== broker.clusterId || nodeId !== node)) {
      return { errorCode: errors.REBOOTSTRAP_REQUIRED.code, apiKeys: [] }
    }
    const apiKeys = [...apis()].map(({ table, advertised: [minVersion, maxVersion] }) => ({
      apiKey: table.key,
      minVersion,
      maxVersion,
    }))
    const { features } = broker
    return {
      errorCode: 0,
      apiKeys,
      // Version 3 cannot say that a feature begins at 0: clients took it for a mistake (KAFKA-17011).
      supportedFeatures: features.supported
        .filter(({ min }) => version >= 4 || min > 0)
        .map(({ name, min, max }) => ({ name, minVersion: min, maxVersion: max })),
      finalizedFeaturesEpoch: features.epoch,
      finalizedFeatures: features
        .finalised()
        .map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    }
  })
