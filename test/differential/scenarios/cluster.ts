// ApiVersions and DescribeCluster: what a client learns before it knows any topic.

import { apiVersions } from '../../../protocol/messages/18-api-versions.ts'
import { describeCluster } from '../../../protocol/messages/60-describe-cluster.ts'
import type { Side } from '../side.ts'

export async function apiVersionsScenario(side: Side): Promise<void> {
  const good = { clientSoftwareName: 'differential', clientSoftwareVersion: '1.0' }
  await side.each('plain', apiVersions, good)
  for (const name of ['', ' ', '-x', 'x-', 'a.b-c', '.', 'ü', 'a b', 'x'.repeat(300)]) {
    const clientSoftwareName = name
    await side.each(`software name «${name.slice(0, 8)}»`, apiVersions, { ...good, clientSoftwareName })
    await side.each(`software version «${name.slice(0, 8)}»`, apiVersions, { ...good, clientSoftwareVersion: name })
  }
  await side.each('its cluster', apiVersions, { ...good, clusterId: side.clusterId })
  await side.each('another cluster', apiVersions, { ...good, clusterId: 'AAAAAAAAAAAAAAAAAAAAAA' })
  await side.each('an empty cluster', apiVersions, { ...good, clusterId: '' })
  for (const nodeId of [-2, -1, 0, 1, 2]) {
    await side.each(`node ${nodeId}`, apiVersions, { ...good, nodeId })
    await side.each(`its cluster, node ${nodeId}`, apiVersions, { ...good, clusterId: side.clusterId, nodeId })
  }
}

/** Versions that a broker does not serve, and keys that nobody has. */
export async function unservedScenario(side: Side): Promise<void> {
  for (const version of [-1, 6, 99, 32_767]) {
    await side.raw(`ApiVersions v${version}`, apiVersions.key, version, false)
    await side.raw(`ApiVersions v${version}, flexible`, apiVersions.key, version, true)
  }
  for (const [key, [from, to]] of side.versions)
    for (const version of [from - 1, to + 1])
      if (key !== apiVersions.key) await side.raw('an unserved version', key, version, true)
  for (const key of [-1, 4, 5, 6, 7, 52, 59, 67, 73, 80, 83, 94, 1000]) await side.raw('an unserved key', key, 0, false)
}

export async function describeClusterScenario(side: Side): Promise<void> {
  for (const includeClusterAuthorizedOperations of [false, true]) {
    await side.each(`operations ${includeClusterAuthorizedOperations}`, describeCluster, {
      includeClusterAuthorizedOperations,
    })
  }
  for (const endpointType of [-1, 0, 1, 2, 3, 127]) {
    await side.each(`endpoint type ${endpointType}`, describeCluster, {
      includeClusterAuthorizedOperations: false,
      endpointType,
    })
  }
  await side.each('fenced brokers too', describeCluster, {
    includeClusterAuthorizedOperations: false,
    includeFencedBrokers: true,
  })
}
