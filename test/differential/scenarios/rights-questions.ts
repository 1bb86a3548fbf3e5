// A question of each API, what its client must be allowed, and what it is told who is not: the one table of it, which the tests
// ask of twiglog, and the scenarios of it and of a real Kafka.

import type { ErrorName } from '../../../protocol/errors.ts'
import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { offsetForLeaderEpoch } from '../../../protocol/messages/23-offset-for-leader-epoch.ts'
import { addPartitionsToTxn } from '../../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../protocol/messages/26-end-txn.ts'
import { writeTxnMarkers } from '../../../protocol/messages/27-write-txn-markers.ts'
import { txnOffsetCommit } from '../../../protocol/messages/28-txn-offset-commit.ts'
import { describeAcls } from '../../../protocol/messages/29-describe-acls.ts'
import { createAcls } from '../../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../../protocol/messages/31-delete-acls.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../../protocol/messages/33-alter-configs.ts'
import { alterReplicaLogDirs } from '../../../protocol/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../../protocol/messages/35-describe-log-dirs.ts'
import { createPartitions } from '../../../protocol/messages/37-create-partitions.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { electLeaders } from '../../../protocol/messages/43-elect-leaders.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { alterPartitionReassignments } from '../../../protocol/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from '../../../protocol/messages/46-list-partition-reassignments.ts'
import { offsetDelete } from '../../../protocol/messages/47-offset-delete.ts'
import { describeClientQuotas } from '../../../protocol/messages/48-describe-client-quotas.ts'
import { alterClientQuotas } from '../../../protocol/messages/49-alter-client-quotas.ts'
import { describeUserScramCredentials } from '../../../protocol/messages/50-describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from '../../../protocol/messages/51-alter-user-scram-credentials.ts'
import { describeQuorum } from '../../../protocol/messages/55-describe-quorum.ts'
import { updateFeatures } from '../../../protocol/messages/57-update-features.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { unregisterBroker } from '../../../protocol/messages/64-unregister-broker.ts'
import { describeTransactions } from '../../../protocol/messages/65-describe-transactions.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { listConfigResources } from '../../../protocol/messages/74-list-config-resources.ts'
import { describeTopicPartitions } from '../../../protocol/messages/75-describe-topic-partitions.ts'
import { shareGroupHeartbeat } from '../../../protocol/messages/76-share-group-heartbeat.ts'
import { shareGroupDescribe } from '../../../protocol/messages/77-share-group-describe.ts'
import { shareFetch } from '../../../protocol/messages/78-share-fetch.ts'
import { shareAcknowledge } from '../../../protocol/messages/79-share-acknowledge.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../../protocol/messages/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../../protocol/messages/92-delete-share-group-offsets.ts'
import type { ApiTable } from '../../../protocol/schema.ts'
import { type Body, batchOf } from '../../wire-client.ts'

/** Of AclOperation and ResourceType. */
export const operations = {
  ...{ ALL: 2, READ: 3, WRITE: 4, CREATE: 5, DELETE: 6, ALTER: 7, DESCRIBE: 8, CLUSTER_ACTION: 9 },
  ...{ DESCRIBE_CONFIGS: 10, ALTER_CONFIGS: 11, IDEMPOTENT_WRITE: 12 },
} as const
export const resourceTypes = { topic: 2, group: 3, cluster: 4, id: 5 } as const

/** On everything of that kind that the questions are about. */
export type Right = `${keyof typeof resourceTypes} ${keyof typeof operations}`

export type Question = {
  readonly label: string
  readonly table: ApiTable
  /** Undefined where a version cannot ask it. */
  readonly body: (version: number) => object | undefined
  readonly needs: readonly Right[]
  readonly error: ErrorName
}

function question<A extends ApiTable>(
  label: string,
  table: A,
  needs: readonly Right[],
  error: ErrorName,
  body: Body<A> | ((version: number) => Body<A> | undefined),
): Question {
  return { label, table, needs, error, body: typeof body === 'function' ? (body as Question['body']) : () => body }
}

/** What there is, and what there is not; everything is called r-…, so that one ACL is about all of it. */
export const names = {
  ...{ topic: 'r-topic', missing: 'r-missing', doomed: 'r-doomed' },
  ...{ group: 'r-group', consumers: 'r-consumers', sharers: 'r-sharers', empty: 'r-empty', id: 'r-id' },
} as const

const { topic, missing, doomed, group, consumers, sharers, empty, id } = names
const noTopic = 'TOPIC_AUTHORIZATION_FAILED'
const noGroup = 'GROUP_AUTHORIZATION_FAILED'
const noId = 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
const noCluster = 'CLUSTER_AUTHORIZATION_FAILED'
const [timeoutMs, validateOnly] = [5000, true]
const member = { generationId: 1, memberId: 'nobody' }
const producer = { producerId: 123_456, producerEpoch: 0 }

const named = <T extends object>(of: T) => [topic, missing].map((name) => ({ name, ...of }))
const offsets = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]

/** `idOf`: of a topic that is there. */
export function questions(idOf: (topic: string) => string): Question[] {
  const written = (version: number, records: Buffer) => [
    { ...(version < 13 ? { name: topic } : { topicId: idOf(topic) }), partitionData: [{ index: 0, records }] },
  ]
  const timestamp = Date.now() - 3_600_000
  const records = batchOf([{ key: 'k', value: 'v', timestamp, headers: [] }])
  const transactional = batchOf([{ key: 'k', value: 'v', timestamp, headers: [] }], {
    ...{ isTransactional: true, baseSequence: 0 },
    ...producer,
  })
  const commits = (version: number, byIdFrom: number) =>
    version < byIdFrom ? named({ partitions: offsets }) : [{ topicId: idOf(topic), partitions: offsets }]
  const fetched = (version: number, partition = 0) => {
    const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: 1000 }]
    return version < 13
      ? named({}).map(({ name }) => ({ topic: name, partitions }))
      : [{ topicId: idOf(topic), partitions }]
  }
  const acl = {
    ...{
      resourceType: 2,
      resourceName: 'r-other',
      principal: 'User:other',
      host: '*',
      operation: 3,
      permissionType: 3,
    },
  }
  const filter = { resourceTypeFilter: 2, resourceNameFilter: 'r-other', principalFilter: null, hostFilter: null }
  const resource = (resourceType: number, resourceName: string) => ({
    resourceType,
    resourceName,
    configurationKeys: ['retention.ms', 'log.cleaner.threads', 'interval.ms', 'consumer.session.timeout.ms'],
  })
  const changed = (resourceType: number, resourceName: string, name: string, value: string) => ({
    ...{ resourceType, resourceName, configs: [{ name, value, configOperation: 0 }] },
  })
  const configured: readonly [string, ReturnType<typeof changed>, Right, Right, ErrorName][] = [
    ['topic', changed(2, topic, 'retention.ms', '1000'), 'topic DESCRIBE_CONFIGS', 'topic ALTER_CONFIGS', noTopic],
    [
      'missing topic',
      changed(2, missing, 'retention.ms', '1000'),
      'topic DESCRIBE_CONFIGS',
      'topic ALTER_CONFIGS',
      noTopic,
    ],
    [
      'broker',
      changed(4, '1', 'log.cleaner.threads', '1'),
      'cluster DESCRIBE_CONFIGS',
      'cluster ALTER_CONFIGS',
      noCluster,
    ],
    [
      'client metrics',
      changed(16, 'r-m', 'interval.ms', '1000'),
      'cluster DESCRIBE_CONFIGS',
      'cluster ALTER_CONFIGS',
      noCluster,
    ],
    [
      'group',
      changed(32, group, 'consumer.session.timeout.ms', '45000'),
      'group DESCRIBE_CONFIGS',
      'group ALTER_CONFIGS',
      noGroup,
    ],
  ]
  const beat = { memberEpoch: 0, rebalanceTimeoutMs: 60_000, topicPartitions: [] }
  const sharing = { groupId: sharers, memberId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  const shared = () => [{ topicId: idOf(topic), partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }]
  const join = {
    groupId: group,
    memberId: '',
    protocolType: 'consumer',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
  }
  return [
    question('', produce, ['topic WRITE'], noTopic, (version) => ({
      ...{ acks: 1, timeoutMs, topicData: written(version, records) },
    })),
    question('to a missing topic', produce, ['topic WRITE'], noTopic, (version) =>
      version < 13
        ? { acks: 1, timeoutMs, topicData: [{ name: missing, partitionData: [{ index: 0, records }] }] }
        : undefined,
    ),
    question('in a transaction', produce, ['topic WRITE', 'id WRITE'], noId, (version) => ({
      ...{ transactionalId: id, acks: -1, timeoutMs, topicData: written(version, transactional) },
    })),
    question('', fetch, ['topic READ'], noTopic, (version) => ({
      ...{ maxWaitMs: 0, minBytes: 0, isolationLevel: 0, topics: fetched(version), forgottenTopicsData: [] },
    })),
    question('as a follower', fetch, ['cluster CLUSTER_ACTION'], noTopic, (version) => ({
      ...(version < 15 ? { replicaId: 5 } : { replicaState: { replicaId: 5, replicaEpoch: -1 } }),
      // Of what is there it would be told that it does not follow.
      ...{ maxWaitMs: 0, minBytes: 0, isolationLevel: 0, topics: fetched(version, 7), forgottenTopicsData: [] },
    })),
    question('', listOffsets, ['topic DESCRIBE'], noTopic, {
      ...{ replicaId: -1, isolationLevel: 0, topics: named({ partitions: [{ partitionIndex: 0, timestamp: -1 }] }) },
    }),
    question('', metadata, ['topic DESCRIBE'], noTopic, (version) =>
      version < 4 ? { topics: [{ name: topic }] } : { topics: named({}), allowAutoTopicCreation: false },
    ),
    question('by id', metadata, ['topic DESCRIBE'], noTopic, (version) =>
      version < 12 ? undefined : { topics: [{ topicId: idOf(topic), name: null }], allowAutoTopicCreation: false },
    ),
    question('', offsetCommit, ['group READ', 'topic READ'], noGroup, (version) => ({
      ...{ groupId: group, generationIdOrMemberEpoch: -1, memberId: '', topics: commits(version, 10) },
    })),
    question('', offsetFetch, ['group DESCRIBE', 'topic DESCRIBE'], noGroup, (version) => {
      const topics = named({ partitionIndexes: [0] })
      if (version < 8) return { groupId: group, topics, groups: [] }
      const byId = [{ topicId: idOf(topic), partitionIndexes: [0] }]
      return { groupId: '', topics: null, groups: [{ groupId: group, topics: version < 10 ? topics : byId }] }
    }),
    question('of everything', offsetFetch, ['group DESCRIBE'], noGroup, (version) => {
      if (version < 2) return undefined
      if (version < 8) return { groupId: group, topics: null, groups: [] }
      return { groupId: '', topics: null, groups: [{ groupId: group, topics: null }] }
    }),
    question('of a group', findCoordinator, ['group DESCRIBE'], noGroup, (version) => ({
      ...{ key: group, keyType: 0, coordinatorKeys: version < 4 ? [] : [group] },
    })),
    question('of an id', findCoordinator, ['id DESCRIBE'], noId, (version) =>
      version < 1 ? undefined : { key: id, keyType: 1, coordinatorKeys: version < 4 ? [] : [id] },
    ),
    question('of shares', findCoordinator, ['cluster CLUSTER_ACTION'], noCluster, (version) =>
      version < 6 ? undefined : { key: '', keyType: 2, coordinatorKeys: [`${sharers}:${idOf(topic)}:0`] },
    ),
    question('', joinGroup, ['group READ'], noGroup, (version) =>
      // Who is let in is waited for.
      version < 4 ? undefined : { ...join, protocols: [{ name: 'range', metadata: Buffer.alloc(0) }] },
    ),
    question('', heartbeat, ['group READ'], noGroup, { groupId: group, ...member }),
    question('', leaveGroup, ['group READ'], noGroup, {
      groupId: group,
      memberId: 'nobody',
      members: [{ memberId: 'nobody' }],
    }),
    question('', syncGroup, ['group READ'], noGroup, {
      ...{ groupId: group, ...member, protocolType: 'consumer', protocolName: 'range', assignments: [] },
    }),
    question('', describeGroups, ['group DESCRIBE'], noGroup, { groups: [group, 'r-no-group'] }),
    question('what would be made', createTopics, ['topic CREATE'], noTopic, (version) => ({
      ...{ timeoutMs, validateOnly },
      topics: [{ name: `r-made-v${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    })),
    question('', deleteRecords, ['topic DELETE'], noTopic, {
      ...{ timeoutMs, topics: named({ partitions: [{ partitionIndex: 0, offset: 0 }] }) },
    }),
    question('', initProducerId, ['id WRITE'], noId, { transactionalId: id, transactionTimeoutMs: 60_000 }),
    question('without an id', initProducerId, ['cluster IDEMPOTENT_WRITE'], noCluster, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    }),
    question('without an id, by a right on topics', initProducerId, ['topic WRITE'], noCluster, {
      ...{ transactionalId: null, transactionTimeoutMs: 0 },
    }),
    question('', offsetForLeaderEpoch, ['topic DESCRIBE'], noTopic, {
      ...{
        replicaId: -1,
        topics: named({}).map(({ name }) => ({ topic: name, partitions: [{ partition: 0, leaderEpoch: 0 }] })),
      },
    }),
    question('', addPartitionsToTxn, ['id WRITE', 'topic WRITE'], noId, (version) =>
      version > 3
        ? undefined
        : {
            ...{ v3AndBelowTransactionalId: id, v3AndBelowProducerId: 123_456, v3AndBelowProducerEpoch: 0 },
            v3AndBelowTopics: named({ partitions: [0] }),
          },
    ),
    question('by a broker', addPartitionsToTxn, ['cluster CLUSTER_ACTION'], noCluster, (version) =>
      version < 4
        ? undefined
        : {
            transactions: [{ transactionalId: id, ...producer, verifyOnly: true, topics: named({ partitions: [0] }) }],
          },
    ),
    question('', addOffsetsToTxn, ['id WRITE', 'group READ'], noId, {
      transactionalId: id,
      ...producer,
      groupId: group,
    }),
    question('', endTxn, ['id WRITE'], noId, { transactionalId: id, ...producer, committed: false }),
    question('', writeTxnMarkers, ['cluster ALTER'], noCluster, {
      markers: [
        {
          ...{ ...producer, transactionResult: false, coordinatorEpoch: 0 },
          topics: [{ name: missing, partitionIndexes: [0] }],
        },
      ],
    }),
    question('', txnOffsetCommit, ['id WRITE', 'group READ', 'topic READ'], noId, (version) => ({
      ...{ transactionalId: id, groupId: group, ...producer, topics: commits(version, 6) },
    })),
    question('', describeAcls, ['cluster DESCRIBE'], noCluster, { ...filter, operation: 1, permissionType: 1 }),
    question('', createAcls, ['cluster ALTER'], noCluster, { creations: [acl, acl] }),
    question('', deleteAcls, ['cluster ALTER'], noCluster, {
      filters: [{ ...filter, operation: 1, permissionType: 1 }],
    }),
    ...configured.flatMap(([label, change, describing, altering, error]) => [
      question(`of a ${label}`, describeConfigs, [describing], error, {
        ...{ resources: [resource(change.resourceType, change.resourceName)], includeSynonyms: false },
      }),
      question(`of a ${label}`, alterConfigs, [altering], error, { resources: [change], validateOnly }),
      question(`of a ${label}`, incrementalAlterConfigs, [altering], error, { resources: [change], validateOnly }),
    ]),
    question('of loggers', describeConfigs, ['cluster DESCRIBE_CONFIGS'], noCluster, {
      ...{ resources: [resource(8, '1')], includeSynonyms: false },
    }),
    question('of loggers', incrementalAlterConfigs, ['cluster ALTER_CONFIGS'], noCluster, {
      ...{ resources: [changed(8, '1', 'root', 'INFO')], validateOnly },
    }),
    question('', alterReplicaLogDirs, ['cluster ALTER'], noCluster, {
      dirs: [{ path: '/nowhere', topics: [{ name: topic, partitions: [0] }] }],
    }),
    question('', describeLogDirs, ['cluster DESCRIBE'], noCluster, (version) =>
      version < 3 ? undefined : { topics: [{ topic: missing, partitions: [0] }] },
    ),
    question('', createPartitions, ['topic ALTER'], noTopic, {
      ...{ timeoutMs, validateOnly, topics: named({ count: 9, assignments: null }) },
    }),
    question('', deleteGroups, ['group DELETE'], noGroup, { groupsNames: ['r-no-group'] }),
    question('', electLeaders, ['cluster ALTER'], noCluster, {
      ...{ electionType: 0, topicPartitions: [{ topic, partitions: [0] }] },
    }),
    question('of all', electLeaders, ['cluster ALTER'], noCluster, (version) =>
      version < 1 ? undefined : { electionType: 0, topicPartitions: null },
    ),
    question('', alterPartitionReassignments, ['cluster ALTER'], noCluster, {
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: null }] }],
    }),
    question('', listPartitionReassignments, ['cluster DESCRIBE'], noCluster, {
      topics: [{ name: topic, partitionIndexes: [0] }],
    }),
    question('of all', listPartitionReassignments, ['cluster DESCRIBE'], noCluster, { topics: null }),
    question('', offsetDelete, ['group DELETE', 'topic READ'], noGroup, {
      ...{ groupId: group, topics: named({ partitions: [{ partitionIndex: 5 }] }) },
    }),
    question('', describeClientQuotas, ['cluster DESCRIBE_CONFIGS'], noCluster, { components: [], strict: false }),
    question('', alterClientQuotas, ['cluster ALTER_CONFIGS'], noCluster, {
      entries: [
        {
          entity: [{ entityType: 'user', entityName: 'r-user' }],
          ops: [{ key: 'producer_byte_rate', value: 1000, remove: false }],
        },
      ],
      validateOnly,
    }),
    question('', describeUserScramCredentials, ['cluster DESCRIBE'], noCluster, { users: [{ name: 'r-user' }] }),
    question('', alterUserScramCredentials, ['cluster ALTER'], noCluster, {
      ...{ deletions: [{ name: 'r-user', mechanism: 1 }], upsertions: [] },
    }),
    question('', describeQuorum, ['cluster DESCRIBE'], noCluster, {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
    }),
    question('', updateFeatures, ['cluster ALTER'], noCluster, (version) => ({
      featureUpdates: [{ feature: 'r.feature', maxVersionLevel: 1, ...(version < 1 ? { allowDowngrade: false } : {}) }],
      ...(version < 1 ? {} : { validateOnly }),
    })),
    question('', describeProducers, ['topic READ'], noTopic, { topics: named({ partitionIndexes: [0] }) }),
    question('', unregisterBroker, ['cluster ALTER'], noCluster, { brokerId: 77 }),
    question('', describeTransactions, ['id DESCRIBE'], noId, { transactionalIds: ['r-no-id'] }),
    question('', consumerGroupHeartbeat, ['group READ', 'topic DESCRIBE'], noGroup, {
      // Nothing becomes of it: the group is of another kind.
      ...{ ...beat, groupId: sharers, memberId: 'm', subscribedTopicNames: [topic, missing] },
    }),
    question('', consumerGroupDescribe, ['group DESCRIBE', 'topic DESCRIBE'], noGroup, {
      groupIds: [consumers],
      includeAuthorizedOperations: false,
    }),
    question('', listConfigResources, ['cluster DESCRIBE_CONFIGS'], noCluster, (version) =>
      version < 1 ? {} : { resourceTypes: [16] },
    ),
    question('', describeTopicPartitions, ['topic DESCRIBE'], noTopic, { topics: named({}) }),
    question('', shareGroupHeartbeat, ['group READ', 'topic DESCRIBE'], noGroup, {
      ...{
        groupId: consumers,
        memberId: 'AAAAAAAAAAAAAAAAAAAAAw',
        memberEpoch: 0,
        subscribedTopicNames: [topic, missing],
      },
    }),
    question('', shareGroupDescribe, ['group DESCRIBE', 'topic DESCRIBE'], noGroup, {
      groupIds: [sharers],
      includeAuthorizedOperations: false,
    }),
    question('', shareFetch, ['group READ', 'topic READ'], noGroup, () => ({
      ...{ ...sharing, shareSessionEpoch: 0, maxWaitMs: 0, minBytes: 0, maxBytes: 1000, maxRecords: 1, batchSize: 1 },
      ...{ topics: shared(), forgottenTopicsData: [] },
    })),
    question('', shareAcknowledge, ['group READ'], noGroup, () => ({
      ...sharing,
      shareSessionEpoch: -1,
      topics: [],
    })),
    question('', describeShareGroupOffsets, ['group DESCRIBE', 'topic DESCRIBE'], noGroup, {
      groups: [{ groupId: sharers, topics: [topic, missing].map((topicName) => ({ topicName, partitions: [0] })) }],
    }),
    question('of everything', describeShareGroupOffsets, ['group DESCRIBE'], noGroup, {
      groups: [{ groupId: sharers, topics: null }],
    }),
    question('', alterShareGroupOffsets, ['group READ', 'topic READ'], noGroup, {
      ...{
        groupId: empty,
        topics: [topic, missing].map((topicName) => ({
          topicName,
          partitions: [{ partitionIndex: 0, startOffset: 0 }],
        })),
      },
    }),
    question('', deleteShareGroupOffsets, ['group DELETE', 'topic READ'], noGroup, {
      ...{ groupId: empty, topics: [topic, missing].map((topicName) => ({ topicName })) },
    }),
    // Last: it does away with what it is about.
    question('', deleteTopics, ['topic DELETE'], noTopic, (version) => ({
      ...(version < 6 ? { topicNames: [doomed, missing] } : { topics: [{ name: doomed }, { name: missing }] }),
      timeoutMs,
    })),
  ]
}
