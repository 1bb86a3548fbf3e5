// A cluster in one process: each node answers for what it leads and coordinates, says where to go instead, and can be
// stopped. What is expected here a real cluster of three nodes (4.3.1) was seen to answer.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { produce } from '../protocol/messages/00-produce.ts'
import { fetch } from '../protocol/messages/01-fetch.ts'
import { listOffsets } from '../protocol/messages/02-list-offsets.ts'
import { metadata } from '../protocol/messages/03-metadata.ts'
import { findCoordinator } from '../protocol/messages/10-find-coordinator.ts'
import { joinGroup } from '../protocol/messages/11-join-group.ts'
import { heartbeat } from '../protocol/messages/12-heartbeat.ts'
import { syncGroup } from '../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../protocol/messages/15-describe-groups.ts'
import { apiVersions } from '../protocol/messages/18-api-versions.ts'
import { createTopics } from '../protocol/messages/19-create-topics.ts'
import { deleteRecords } from '../protocol/messages/21-delete-records.ts'
import { initProducerId } from '../protocol/messages/22-init-producer-id.ts'
import { offsetForLeaderEpoch } from '../protocol/messages/23-offset-for-leader-epoch.ts'
import { describeConfigs } from '../protocol/messages/32-describe-configs.ts'
import { describeLogDirs } from '../protocol/messages/35-describe-log-dirs.ts'
import { electLeaders } from '../protocol/messages/43-elect-leaders.ts'
import { alterPartitionReassignments } from '../protocol/messages/45-alter-partition-reassignments.ts'
import { describeCluster } from '../protocol/messages/60-describe-cluster.ts'
import { describeTopicPartitions } from '../protocol/messages/75-describe-topic-partitions.ts'
import { partitionOfKey } from '../src/broker/placement.ts'
import { Broker, type BrokerOptions } from '../src/index.ts'
import { errorOf } from './api/line.ts'
import { batchOf, WireClient } from './wire-client.ts'

/** A broker of several nodes and a connection to each that runs. */
class Cluster implements AsyncDisposable {
  readonly broker: Broker
  readonly #clients: WireClient[] = []

  private constructor(broker: Broker) {
    this.broker = broker
  }

  static async open(options: BrokerOptions = {}): Promise<Cluster> {
    return new Cluster(await Broker.start({ brokers: 3, ...options }))
  }

  async at(nodeId: number): Promise<WireClient> {
    const { host, port } = this.broker.listeners.find((listener) => listener.nodeId === nodeId)!
    const client = await WireClient.open(`${host}:${port}`)
    this.#clients.push(client)
    return client
  }

  /** `replicas: by partition`. */
  async make(name: string, replicas: readonly (readonly number[])[], config: Record<string, string> = {}) {
    const client = await this.at(this.broker.nodeId)
    const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds: [...brokerIds] }))
    const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }))
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs }
    const { topics } = await client.ask(createTopics, 7, { topics: [topic], timeoutMs: 1000, validateOnly: false })
    expect(topics.map(errorOf)).toEqual(['NONE'])
  }

  /** `leader @ epoch, replicas / isr` of each partition, as a node sees them. */
  async state(topic: string, nodeId = this.broker.nodeId): Promise<string[]> {
    const client = await this.at(nodeId)
    const { topics } = await client.ask(metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
    return topics[0]!.partitions.map(({ leaderId, leaderEpoch, replicaNodes, isrNodes }) => {
      return `${leaderId} @ ${leaderEpoch}, ${replicaNodes.join(' ')} / ${isrNodes.join(' ')}`
    })
  }

  async append(nodeId: number, topic: string, index = 0, { acks = -1, version = 10 } = {}) {
    const client = await this.at(nodeId)
    const topicData = [{ name: topic, partitionData: [{ index, records: batchOf(['x']) }] }]
    const { responses, nodeEndpoints } = await client.ask(produce, version, { acks, timeoutMs: 1000, topicData })
    return { ...responses[0]!.partitionResponses[0]!, nodeEndpoints }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.broker.stop()
  }
}

const read = (partition: number, { epoch = -1, offset = 0 } = {}) => ({
  partition,
  currentLeaderEpoch: epoch,
  fetchOffset: offset,
  partitionMaxBytes: 1_000_000,
})
const fetchOf = (topic: string, partitions: ReturnType<typeof read>[], maxWaitMs = 0) => ({
  replicaId: -1,
  maxWaitMs,
  minBytes: maxWaitMs > 0 ? 1 : 0,
  maxBytes: 1_000_000,
  isolationLevel: 0,
  sessionEpoch: -1,
  topics: [{ topic, partitions }],
  forgottenTopicsData: [],
  rackId: '',
})

test('every node shows the same nodes, topics and leaders, and topics of one partition are spread too', async () => {
  await using cluster = await Cluster.open({ topics: [{ name: 'wide', partitions: 4 }, 'a', 'b'] })
  const { broker } = cluster
  expect(broker.listeners.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3])
  const answers = await Promise.all(
    [1, 2, 3].map(async (node) => {
      const client = await cluster.at(node)
      const seen = await client.ask(metadata, 12, { topics: null, allowAutoTopicCreation: false })
      return { brokers: seen.brokers, topics: seen.topics, controllerId: seen.controllerId }
    }),
  )
  expect(answers[1]).toEqual(answers[0])
  expect(answers[2]).toEqual(answers[0])
  expect(answers[0]!.brokers.map(({ port }) => port)).toEqual(broker.listeners.map(({ port }) => port))
  expect([0, 1, 2, 3].map((partition) => broker.leaderOf('wide', partition))).toEqual([1, 2, 3, 1])
  expect(new Set([broker.leaderOf('a', 0), broker.leaderOf('b', 0)]).size).toBe(2)
})

test('who produces at the wrong node is told the leader and where it is, and what it sent is nowhere', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [[1], [2, 1]])
  expect(await cluster.append(1, 't', 0)).toMatchObject({ errorCode: 0, baseOffset: 0, nodeEndpoints: [] })
  const refused = await cluster.append(1, 't', 1)
  expect(errorOf(refused)).toBe('NOT_LEADER_OR_FOLLOWER')
  expect(refused).toMatchObject({ baseOffset: -1, logStartOffset: -1, errorMessage: null })
  expect(refused.currentLeader).toEqual({ leaderId: 2, leaderEpoch: 0 })
  const { host, port } = cluster.broker.listeners[1]!
  expect(refused.nodeEndpoints).toEqual([{ nodeId: 2, host, port, rack: null }])
  // Clients of before KIP-951 learn it from Metadata.
  const older = await cluster.append(1, 't', 1, { version: 9 })
  expect([errorOf(older), older.nodeEndpoints]).toEqual(['NOT_LEADER_OR_FOLLOWER', []])
  expect(await cluster.append(2, 't', 1)).toMatchObject({ errorCode: 0, baseOffset: 0 })
})

test('with acks=0 the wrong node closes the connection, for nobody would read an answer', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [[1]])
  const client = await cluster.at(2)
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: batchOf(['x']) }] }]
  client.send(client.frame(produce, 9, { acks: 0, timeoutMs: 1000, topicData }))
  expect(await client.closed).toBe('closed')
})

test('Fetch: a node without a replica sends away, a follower serves from version 11 on, and an old epoch is fenced', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [[1, 2], [2], [3, 1]])
  await cluster.append(3, 't', 2)
  const client = await cluster.at(1)
  const ask = async (version: number, epoch = -1) => {
    const answer = await client.ask(
      fetch,
      version,
      fetchOf(
        't',
        [0, 1, 2].map((index) => read(index, { epoch })),
      ),
    )
    const { partitions } = answer.responses[0]!
    return {
      errors: partitions.map(errorOf),
      leaders: partitions.map(({ currentLeader }) => currentLeader.leaderId),
      endpoints: answer.nodeEndpoints.map(({ nodeId }) => nodeId),
    }
  }
  const away = 'NOT_LEADER_OR_FOLLOWER'
  expect(await ask(10)).toMatchObject({ errors: ['NONE', away, away] })
  expect(await ask(12)).toMatchObject({ errors: ['NONE', away, 'NONE'], leaders: [-1, -1, -1] })
  // A follower knows better who leads than whoever holds no replica: it looks at the epoch first.
  expect(await ask(12, 5)).toMatchObject({ errors: ['UNKNOWN_LEADER_EPOCH', away, 'UNKNOWN_LEADER_EPOCH'] })
  // The topic id decides from version 13 on; 12 is the last with names, so hints are looked for by id.
  const { topics } = await client.ask(metadata, 12, { topics: [{ name: 't' }], allowAutoTopicCreation: false })
  await cluster.broker.moveLeader('t', 0, 2)
  const partitions = [0, 1, 2].map((index) => read(index, { epoch: 0 }))
  const byId = { ...fetchOf('t', partitions), topics: [{ topicId: topics[0]!.topicId, partitions }] }
  const answer = await client.ask(fetch, 16, byId)
  expect(answer.responses[0]!.partitions.map(errorOf)).toEqual(['FENCED_LEADER_EPOCH', away, 'NONE'])
  expect(
    answer.responses[0]!.partitions.map(({ currentLeader: { leaderId, leaderEpoch } }) => [leaderId, leaderEpoch]),
  ).toEqual([
    [2, 1],
    [2, 0],
    [-1, -1],
  ])
  expect(answer.nodeEndpoints.map(({ nodeId }) => nodeId)).toEqual([2])
})

test('a fetch that waits is answered when its leader moves away', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [[1]])
  const client = await cluster.at(1)
  const waiting = client.ask(fetch, 12, fetchOf('t', [read(0, { epoch: 0 })], 600_000))
  // A second question on another connection: by its answer the first has been parked.
  await cluster.state('t')
  await cluster.broker.moveLeader('t', 0, 3)
  const { responses } = await waiting
  expect(responses[0]!.partitions.map(errorOf)).toEqual(['NOT_LEADER_OR_FOLLOWER'])
  expect(await cluster.state('t', 2)).toEqual(['3 @ 1, 3 / 3'])
})

test('ListOffsets, OffsetForLeaderEpoch and DeleteRecords are the leader’s, except for a tool that compares replicas', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [[1, 2], [2, 1], [3]])
  const client = await cluster.at(1)
  const away = 'NOT_LEADER_OR_FOLLOWER'
  const offsets = async (replicaId: number) => {
    const partitions = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
    const { topics } = await client.ask(listOffsets, 7, { replicaId, topics: [{ name: 't', partitions }] })
    return topics[0]!.partitions.map(errorOf)
  }
  expect(await offsets(-1)).toEqual(['NONE', away, away])
  expect(await offsets(-2)).toEqual(['NONE', 'NONE', away])
  const epochs = [0, 1, 2].map((partition) => ({ partition, leaderEpoch: 0 }))
  const ends = await client.ask(offsetForLeaderEpoch, 4, { topics: [{ topic: 't', partitions: epochs }] })
  expect(ends.topics[0]!.partitions.map(errorOf)).toEqual(['NONE', away, away])
  const trims = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, offset: 0 }))
  const trimmed = await client.ask(deleteRecords, 2, { topics: [{ name: 't', partitions: trims }], timeoutMs: 1000 })
  expect(trimmed.topics[0]!.partitions.map(errorOf)).toEqual(['NONE', away, away])
})

test('each leader’s epoch begins where the one before it ended, also after a restart, and one that wrote nothing is skipped', async () => {
  const data = mkdtempSync(join(tmpdir(), 'twiglog-'))
  try {
    const ends = async (cluster: Cluster, leader: number) => {
      const client = await cluster.at(leader)
      const partitions = [0, 1, 2, 3].map((leaderEpoch) => ({ partition: 0, leaderEpoch }))
      const { topics } = await client.ask(offsetForLeaderEpoch, 4, { topics: [{ topic: 't', partitions }] })
      return topics[0]!.partitions.map(({ leaderEpoch, endOffset }) => [leaderEpoch, endOffset])
    }
    // Epoch 2 has written nothing.
    const expected = [
      [0, 2],
      [1, 3],
      [1, 3],
      [3, 4],
    ]
    {
      await using cluster = await Cluster.open({ data, storage: 'plain' })
      await cluster.make('t', [[1, 2, 3]])
      await cluster.append(1, 't')
      await cluster.append(1, 't')
      await cluster.broker.moveLeader('t', 0, 2)
      await cluster.append(2, 't')
      await cluster.broker.moveLeader('t', 0, 1)
      await cluster.broker.moveLeader('t', 0, 3)
      await cluster.append(3, 't')
      expect(await ends(cluster, 3)).toEqual(expected)
    }
    {
      await using cluster = await Cluster.open({ data, storage: 'plain' })
      expect(await cluster.state('t')).toEqual(['3 @ 3, 1 2 3 / 1 2 3'])
      expect(await ends(cluster, 3)).toEqual(expected)
    }
    // Alone, the first node leads what others led.
    await using cluster = await Cluster.open({ data, storage: 'plain', brokers: 1 })
    expect(await cluster.state('t')).toEqual(['1 @ 4, 1 / 1'])
    expect(await cluster.append(1, 't')).toMatchObject({ errorCode: 0, baseOffset: 4 })
  } finally {
    rmSync(data, { recursive: true })
  }
})

test('a folder of one broker becomes a cluster: partitions are dealt out', async () => {
  const data = mkdtempSync(join(tmpdir(), 'twiglog-'))
  try {
    {
      await using _ = await Cluster.open({ data, storage: 'plain', brokers: 1, topics: [{ name: 't', partitions: 3 }] })
    }
    await using cluster = await Cluster.open({ data, storage: 'plain' })
    expect(await cluster.state('t')).toEqual(['1 @ 0, 1 / 1', '2 @ 1, 2 / 2', '3 @ 1, 3 / 3'])
  } finally {
    rmSync(data, { recursive: true })
  }
})

test('groups and transactional ids have one coordinator, found from every node; the others say so', async () => {
  await using cluster = await Cluster.open()
  const clients = await Promise.all([1, 2, 3].map((node) => cluster.at(node)))
  for (const keyType of [0, 1]) {
    const found = await Promise.all(
      clients.map((client) => client.ask(findCoordinator, 4, { keyType, coordinatorKeys: ['g', 'h', 'i', 'j'] })),
    )
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
    expect(new Set(found[0]!.coordinators.map(({ nodeId }) => nodeId)).size).toBeGreaterThan(1)
  }
  const coordinator = cluster.broker.coordinatorOf('g')
  const errors = await Promise.all(
    clients.map((client) => client.ask(heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' })),
  )
  const expected = [1, 2, 3].map((node) => (node === coordinator ? 'UNKNOWN_MEMBER_ID' : 'NOT_COORDINATOR'))
  expect(errors.map(errorOf)).toEqual(expected)
  const begun = await Promise.all(
    clients.map((client) => client.ask(initProducerId, 4, { transactionalId: 'tx', transactionTimeoutMs: 1000 })),
  )
  expect(begun.map(errorOf).sort()).toEqual(['NONE', 'NOT_COORDINATOR', 'NOT_COORDINATOR'])
})

test('a group whose coordinator moves is what the log says of it, and whoever waits in it is sent away', async () => {
  await using cluster = await Cluster.open({ config: { 'group.initial.rebalance.delay.ms': 0 } })
  const { broker } = cluster
  const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
  const join = async (client: WireClient, memberId: string) =>
    client.ask(joinGroup, 3, {
      groupId: 'g',
      sessionTimeoutMs: 60_000,
      rebalanceTimeoutMs: 60_000,
      memberId,
      protocolType: 'consumer',
      protocols,
    })
  const before = await cluster.at(broker.coordinatorOf('g'))
  const { memberId, generationId } = await join(before, '')
  const assignments = [{ memberId, assignment: Buffer.from('all') }]
  await before.ask(syncGroup, 3, { groupId: 'g', generationId, memberId, assignments })
  // A second member waits for the first one to join again.
  const waiting = join(await cluster.at(broker.coordinatorOf('g')), '')
  const described = async () => {
    const client = await cluster.at(broker.coordinatorOf('g'))
    return (await client.ask(describeGroups, 5, { groups: ['g'], includeAuthorizedOperations: false })).groups[0]!
  }
  while ((await described()).groupState !== 'PreparingRebalance');
  const away = (broker.coordinatorOf('g') % 3) + 1
  await broker.moveLeader('__consumer_offsets', partitionOfKey('g', 50), away)
  expect(errorOf(await waiting)).toBe('NOT_COORDINATOR')
  expect(broker.coordinatorOf('g')).toBe(away)
  expect(await described()).toMatchObject({ groupState: 'Stable', members: [{ memberId }] })
  const alive = { groupId: 'g', generationId, memberId }
  expect(errorOf(await before.ask(heartbeat, 4, alive))).toBe('NOT_COORDINATOR')
  const after = await cluster.at(away)
  expect(errorOf(await after.ask(heartbeat, 4, alive))).toBe('NONE')
})

test('each node knows its own number, configuration and log folders, and no other', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [[1, 2], [3]])
  const { clusterId } = cluster.broker
  const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  for (const node of [1, 2, 3]) {
    const client = await cluster.at(node)
    const hello = (nodeId: number) => client.ask(apiVersions, 5, { ...software, clusterId, nodeId })
    expect([errorOf(await hello(node)), errorOf(await hello((node % 3) + 1))]).toEqual(['NONE', 'REBOOTSTRAP_REQUIRED'])
    const resources = ['1', '2', '3', ''].map((resourceName) => {
      return { resourceType: 4, resourceName, configurationKeys: ['node.id'] }
    })
    const { results } = await client.ask(describeConfigs, 4, { resources, includeSynonyms: false })
    expect(results.map(errorOf)).toEqual([1, 2, 3, node].map((id) => (id === node ? 'NONE' : 'INVALID_REQUEST')))
    expect(results[node - 1]!.configs.map(({ value }) => value)).toEqual([String(node)])
    const dirs = await client.ask(describeLogDirs, 4, { topics: null })
    const partitions = dirs.results[0]!.topics.flatMap((topic) => topic.partitions.map((each) => each.partitionIndex))
    expect(partitions).toEqual([[0], [0], [1]][node - 1])
  }
})

test('a node that stops is gone: its leaders move to replicas in sync, what has none has no leader, and it all comes back', async () => {
  await using cluster = await Cluster.open()
  const { broker } = cluster
  await cluster.make('t', [[3], [2, 3], [3, 1]])
  const gone = await cluster.at(3)
  await broker.stopNode(3)
  expect(await gone.closed).toBe('closed')
  await expect(cluster.at(3)).rejects.toThrow(/ECONNREFUSED/)
  expect(await cluster.state('t')).toEqual(['-1 @ 1, 3 / ', '2 @ 0, 2 3 / 2', '1 @ 1, 3 1 / 1'])
  const client = await cluster.at(1)
  for (const [version, errors] of [
    [12, ['LEADER_NOT_AVAILABLE', 'NONE', 'NONE']],
    [0, ['LEADER_NOT_AVAILABLE', 'REPLICA_NOT_AVAILABLE', 'REPLICA_NOT_AVAILABLE']],
  ] as const) {
    const { topics, brokers } = await client.ask(metadata, version, { topics: [{ name: 't' }] })
    expect(topics[0]!.partitions.map(errorOf)).toEqual(errors)
    expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1, 2])
  }
  const paged = await client.ask(describeTopicPartitions, 0, {
    topics: [{ name: 't' }],
    responsePartitionLimit: 9,
    cursor: null,
  })
  expect(paged.topics[0]!.partitions[0]).toMatchObject({
    errorCode: 0,
    leaderId: -1,
    isrNodes: [],
    eligibleLeaderReplicas: [3],
    lastKnownElr: [3],
    offlineReplicas: [3],
  })
  const fenced = await client.ask(describeCluster, 2, {
    includeClusterAuthorizedOperations: false,
    includeFencedBrokers: true,
    endpointType: 1,
  })
  expect(fenced.brokers.map(({ isFenced }) => isFenced)).toEqual([false, false, true])
  const refused = await cluster.append(1, 't', 0)
  expect([errorOf(refused), refused.currentLeader, refused.nodeEndpoints]).toEqual([
    'NOT_LEADER_OR_FOLLOWER',
    { leaderId: -1, leaderEpoch: 1 },
    [],
  ])
  expect(await cluster.append(1, 't', 2)).toMatchObject({ errorCode: 0 })
  await broker.startNode(3)
  expect(await cluster.state('t', 3)).toEqual(['3 @ 2, 3 / 3', '2 @ 0, 2 3 / 2 3', '1 @ 1, 3 1 / 1 3'])
  expect(await cluster.append(3, 't', 0)).toMatchObject({ errorCode: 0 })
})

test('with too few replicas in sync acks=all is refused and acks=1 is not', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [[1, 2]], { 'min.insync.replicas': '2' })
  expect(errorOf(await cluster.append(1, 't'))).toBe('NONE')
  await cluster.broker.stopNode(2)
  expect(errorOf(await cluster.append(1, 't'))).toBe('NOT_ENOUGH_REPLICAS')
  expect(errorOf(await cluster.append(1, 't', 0, { acks: 1 }))).toBe('NONE')
})

test('ElectLeaders gives the lead back to the preferred replica, and AlterPartitionReassignments moves replicas', async () => {
  await using cluster = await Cluster.open()
  await cluster.make('t', [
    [1, 2],
    [2, 3],
  ])
  await cluster.broker.moveLeader('t', 0, 2)
  const client = await cluster.at(3)
  const elect = { electionType: 0, topicPartitions: [{ topic: 't', partitions: [0, 1] }], timeoutMs: 1000 }
  const elected = await client.ask(electLeaders, 2, elect)
  expect(elected.replicaElectionResults[0]!.partitionResult.map(errorOf)).toEqual(['NONE', 'ELECTION_NOT_NEEDED'])
  expect(await cluster.state('t')).toEqual(['1 @ 2, 1 2 / 1 2', '2 @ 0, 2 3 / 2 3'])
  const move = (replicas: number[]) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 1, replicas }] }]
    return client.ask(alterPartitionReassignments, 0, { topics, timeoutMs: 1000 })
  }
  expect((await move([1, 3])).responses[0]!.partitions.map(errorOf)).toEqual(['NONE'])
  expect((await move([7])).responses[0]!.partitions.map(errorOf)).toEqual(['INVALID_REPLICA_ASSIGNMENT'])
  expect((await cluster.state('t'))[1]).toBe('1 @ 1, 1 3 / 1 3')
})

test('replicas are as asked for: a factor up to the number of nodes, or by hand', async () => {
  await using cluster = await Cluster.open()
  const client = await cluster.at(2)
  const plain = (name: string, replicationFactor: number, brokerIds: number[][] = []) => ({
    name,
    numPartitions: brokerIds.length > 0 ? -1 : 2,
    replicationFactor,
    assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids })),
    configs: [],
  })
  const { topics } = await client.ask(createTopics, 7, {
    topics: [plain('two', 2), plain('four', 4), plain('hand', -1, [[3, 1], [2]]), plain('nowhere', -1, [[9]])],
    timeoutMs: 1000,
    validateOnly: false,
  })
  expect(topics.map((topic) => [topic.name, errorOf(topic), topic.replicationFactor])).toEqual([
    ['two', 'NONE', 2],
    ['four', 'INVALID_REPLICATION_FACTOR', -1],
    ['hand', 'NONE', 2],
    ['nowhere', 'INVALID_REPLICA_ASSIGNMENT', -1],
  ])
  expect(await cluster.state('hand')).toEqual(['3 @ 0, 3 1 / 3 1', '2 @ 0, 2 / 2'])
})

test('a stock client loses and doubles nothing while leaders move and a node dies', async () => {
  await using cluster = await Cluster.open()
  const { broker } = cluster
  await cluster.make('t', [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ])
  const kafka = new Kafka({ brokers: [...broker.brokers], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 } })
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const sent = Array.from({ length: 30 }, (_, i) => `value ${i}`)
  for (const [i, value] of sent.entries()) {
    await producer.send({ topic: 't', messages: [{ key: `${i}`, value }] })
    if (i % 5 === 4) await broker.moveLeader('t', i % 3, 1 + ((broker.leaderOf('t', i % 3) + 1) % 2))
    if (i === 12) await broker.stopNode(3)
    if (i === 20) await broker.startNode(3)
  }
  await producer.disconnect()
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets('t')
  await admin.disconnect()
  expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(sent.length)
  const consumer = kafka.consumer({ groupId: 'g' })
  await consumer.connect()
  await consumer.subscribe({ topic: 't', fromBeginning: true })
  const values: string[] = []
  let half: () => void = () => {}
  const halfWay = new Promise<void>((resolve) => {
    half = resolve
  })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          values.push(String(message.value))
          if (values.length === 5) half()
          if (new Set(values).size === sent.length) resolve()
        },
      })
      .catch(reject)
    // Its coordinator dies too: the group goes on at another node.
    halfWay.then(() => broker.stopNode(broker.coordinatorOf('g'))).catch(reject)
  })
  await consumer.disconnect()
  expect([...new Set(values)].sort()).toEqual([...sent].sort())
})

test('every listener has an address for every node, and its clients are told those', async () => {
  const listener = (name: string) => ({
    name,
    host: '127.0.0.1',
    port: 0,
    protocol: 'PLAINTEXT' as const,
    advertisedHost: `${name.toLowerCase()}.example`,
    advertisedPort: name === 'OUTSIDE' ? 30_001 : undefined,
    role: 'client' as const,
  })
  await using broker = await Broker.start({ brokers: 2, listeners: [listener('INSIDE'), listener('OUTSIDE')] })
  expect(broker.brokers.map((address) => address.replace(/(inside.*):.*/, '$1'))).toEqual([
    'inside.example',
    'inside.example',
    'outside.example:30001',
    'outside.example:30002',
  ])
})

test('reset brings back every node', async () => {
  await using cluster = await Cluster.open({ topics: [{ name: 't', partitions: 3 }] })
  const { broker } = cluster
  await broker.stopNode(2)
  expect(broker.leaderOf('t', 1)).toBe(-1)
  await broker.reset()
  expect(await cluster.state('t', 2)).toEqual(['1 @ 0, 1 / 1', '2 @ 0, 2 / 2', '3 @ 0, 3 / 3'])
})

test('a node or partition that is not there is named in the refusal', async () => {
  await using cluster = await Cluster.open({ topics: ['t'] })
  const { broker } = cluster
  await expect(broker.stopNode(9)).rejects.toThrow(/node 9/)
  await expect(broker.moveLeader('nothing', 0, 1)).rejects.toThrow(/nothing/)
  await broker.stopNode(2)
  await expect(broker.moveLeader('t', 0, 2)).rejects.toThrow(/stopped/)
})
