// DescribeCluster: the brokers, and which of them takes admin requests.

import { expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { describeCluster } from '../../protocol/messages/60-describe-cluster.ts'
import { errorOf, Line } from './line.ts'

test.each([0, 1, 2])('v%i: one broker, which is the controller too', async (version) => {
  await using line = await Line.open()
  const { clusterId } = await line.ask(metadata, 9, { topics: [] })
  const answer = await line.ask(describeCluster, version, { includeClusterAuthorizedOperations: false })
  const [host, port] = line.broker.bootstrapServers.split(':')
  const { nodeId } = line.broker
  expect(answer).toMatchObject({ errorCode: 0, errorMessage: null, clusterId, controllerId: nodeId })
  expect(answer.brokers).toMatchObject([{ brokerId: nodeId, host, port: Number(port), rack: null }])
  expect(answer.clusterAuthorizedOperations).toBe(-0x8000_0000)
})

test('what a client may do is told to those who ask', async () => {
  await using line = await Line.open()
  const answer = await line.ask(describeCluster, 0, { includeClusterAuthorizedOperations: true })
  expect(answer.clusterAuthorizedOperations).toBe(8096)
})

test('controllers are not asked here, and other kinds of endpoints are not known', async () => {
  await using line = await Line.open()
  const ask = (endpointType: number) =>
    line.ask(describeCluster, 1, { includeClusterAuthorizedOperations: false, endpointType })
  expect(errorOf(await ask(1))).toBe('NONE')
  const controllers = await ask(2)
  expect([errorOf(controllers), controllers.brokers, controllers.controllerId]).toEqual([
    'MISMATCHED_ENDPOINT_TYPE',
    [],
    -1,
  ])
  for (const type of [-1, 0, 3, 127]) expect(errorOf(await ask(type))).toBe('UNSUPPORTED_ENDPOINT_TYPE')
})
