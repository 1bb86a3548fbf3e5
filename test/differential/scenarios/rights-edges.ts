// Two brokers with an authorizer, as for `rights`: where being allowed meets other things that are wrong with a request, topics
// that are there and may not be seen, and requests that are allowed in part. On demand: both fresh, with
// allow.everyone.if.no.acl.found=true.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { addPartitionsToTxn } from '../../../protocol/messages/24-add-partitions-to-txn.ts'
import { createAcls } from '../../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../../protocol/messages/31-delete-acls.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../../protocol/messages/33-alter-configs.ts'
import { createPartitions } from '../../../protocol/messages/37-create-partitions.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { describeTopicPartitions } from '../../../protocol/messages/75-describe-topic-partitions.ts'
import { acl, atHome, ofStranger, strangerHost } from '../../api/strangers.ts'
import { batchOf } from '../../wire-client.ts'
import type { Side } from '../side.ts'
import type { Right } from './rights-questions.ts'
import { coordinatorsReady } from './transactions.ts'

type Creation = ReturnType<typeof acl>

/** What the stranger may see is called r-…, what not s-…; what is not there ends in -none. */
const all = ['r-a', 's-a', 'r-none', 's-none']

async function allow(side: Side, ...rights: readonly (Right | Creation)[]): Promise<void> {
  await side.quiet(deleteAcls, 3, ofStranger)
  const creations = rights.map((right) => (typeof right === 'string' ? acl(right) : right))
  if (creations.length > 0) await side.quiet(createAcls, 3, { creations })
  await side.settle()
}

const plain = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
const [timeoutMs, validateOnly] = [5000, true]

async function askTopics(side: Side, label: string): Promise<void> {
  const ids = ['r-a', 's-a'].map((name) => side.idOf(name))
  const named = all.map((name) => ({ name }))
  await side.each(`${label}: names`, metadata, (version) =>
    version < 4 ? { topics: [{ name: 'r-a' }, { name: 's-a' }] } : { topics: named, allowAutoTopicCreation: false },
  )
  // Nothing comes of it: nobody may make any.
  await side.each(`${label}: names to make`, metadata, { topics: named })
  await side.each(`${label}: ids`, metadata, (version) =>
    version < 12 ? undefined : { topics: ids.map((topicId) => ({ topicId, name: null })) },
  )
  await side.each(`${label}: twice`, metadata, { topics: [{ name: 's-a' }, { name: 's-a' }] })
  await side.each(`${label}: no name that can be`, metadata, {
    topics: [{ name: 'a/b' }],
    allowAutoTopicCreation: false,
  })
  await side.each(`${label}: names`, describeTopicPartitions, { topics: named })
  await side.each(`${label}: a cursor`, describeTopicPartitions, {
    ...{ topics: named, cursor: { topicName: 's-a', partitionIndex: 0 } },
  })
  await side.each(`${label}: names`, deleteTopics, (version) =>
    version < 6
      ? { timeoutMs, topicNames: ['s-a', 's-none', 'r-none'] }
      : { timeoutMs, topics: [{ name: 's-a' }, { name: 's-none' }, { name: 'r-none' }] },
  )
  await side.each(`${label}: ids`, deleteTopics, (version) =>
    version < 6 ? undefined : { timeoutMs, topics: [{ topicId: ids[1]! }, { topicId: 'QQQQQQQQQQQQQQQQQQQQQg' }] },
  )
  await side.each(`${label}: one name twice`, deleteTopics, (version) =>
    version < 6 ? undefined : { timeoutMs, topics: [{ name: 's-a' }, { name: 's-a' }] },
  )
  await side.each(`${label}: name and id`, deleteTopics, (version) =>
    version < 6 ? undefined : { timeoutMs, topics: [{ name: 's-a', topicId: ids[1]! }, { name: null }] },
  )
  await side.each(`${label}: what would be made`, createTopics, {
    ...{ timeoutMs, validateOnly, topics: ['r-a', 's-a', 's-none', 'a/b', '__cluster_metadata'].map(plain) },
  })
  await side.each(`${label}: one that would be made twice`, createTopics, {
    ...{ timeoutMs, validateOnly, topics: [plain('s-none'), plain('s-none')] },
  })
  const grown = (name: string) => ({ name, count: 5, assignments: null })
  await side.each(`${label}: grown`, createPartitions, { timeoutMs, validateOnly, topics: all.map(grown) })
  await side.each(`${label}: no name that can be`, describeProducers, {
    topics: [{ name: 'a/b', partitionIndexes: [0] }],
  })
}

async function askConfigs(side: Side, label: string): Promise<void> {
  const entry = { name: 'retention.ms', value: '1000', configOperation: 0 }
  const of = (resourceType: number, resourceName: string, configs = [entry]) => ({
    resourceType,
    resourceName,
    configs,
  })
  const asked = (resourceType: number, resourceName: string) => ({
    ...{ resourceType, resourceName, configurationKeys: ['retention.ms'] },
  })
  const changes: readonly [string, ReturnType<typeof of>[]][] = [
    ['some', all.map((name) => of(2, name))],
    ['twice', [of(2, 's-a'), of(2, 's-a')]],
    ['no name', [of(2, '')]],
    ['no such value', [of(2, 's-a', [{ ...entry, value: 'x' }])]],
    ['no such configuration', [of(2, 's-a', [{ ...entry, name: 'no.such' }])]],
    ['another broker', [of(4, '77', [])]],
    ['all brokers', [of(4, '', [])]],
    ['a group without a name', [of(32, '', [])]],
    ['client metrics without a name', [of(16, '', [])]],
  ]
  for (const [what, resources] of changes) {
    await side.each(`${label}: ${what}`, alterConfigs, { resources, validateOnly })
    await side.each(`${label}: ${what}`, incrementalAlterConfigs, { resources, validateOnly })
  }
  await side.each(`${label}: some`, describeConfigs, {
    ...{ resources: [...all.map((name) => asked(2, name)), asked(32, 'r-g'), asked(32, 's-g'), asked(4, '1')] },
    includeSynonyms: false,
  })
  for (const [type, name] of [
    [2, 'a/b'],
    [4, '77'],
    [4, ''],
    [8, '77'],
    [16, ''],
    [32, ''],
  ] as const)
    await side.each(`${label}: ${type} «${name}»`, describeConfigs, {
      resources: [asked(type, name)],
      includeSynonyms: false,
    })
}

async function askGroups(side: Side, label: string): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
  const group = { groupId: 'r-g', generationIdOrMemberEpoch: -1, memberId: '' }
  const ids = ['r-a', 's-a'].map((name) => side.idOf(name))
  await side.each(`${label}: some`, offsetCommit, (version) => ({
    ...group,
    topics:
      version < 10
        ? all.map((name) => ({ name, partitions }))
        : [...ids, 'QQQQQQQQQQQQQQQQQQQQQg'].map((topicId) => ({ topicId, partitions })),
  }))
  await side.each(`${label}: some`, offsetFetch, (version) => {
    const named = all.map((name) => ({ name, partitionIndexes: [0] }))
    if (version < 8) return { groupId: 'r-g', topics: named, groups: [] }
    const byId = [...ids, 'QQQQQQQQQQQQQQQQQQQQQg'].map((topicId) => ({ topicId, partitionIndexes: [0] }))
    const topics = version < 10 ? named : byId
    return { groupId: '', topics: null, groups: ['r-g', 's-g'].map((groupId) => ({ groupId, topics })) }
  })
  await side.each(`${label}: of everything`, offsetFetch, (version) =>
    version < 8 ? undefined : { groupId: '', topics: null, groups: [{ groupId: 'r-g', topics: null }] },
  )
  await side.each(`${label}: some`, findCoordinator, (version) =>
    version < 4 ? undefined : { key: '', keyType: 0, coordinatorKeys: ['r-g', 's-g'] },
  )
  await side.each(`${label}: of no such type`, findCoordinator, (version) =>
    version < 4 ? undefined : { key: '', keyType: 9, coordinatorKeys: ['r-g'] },
  )
  await side.each(`${label}: no share partition`, findCoordinator, (version) =>
    version < 6 ? undefined : { key: '', keyType: 2, coordinatorKeys: ['x'] },
  )
  const silent = { groupId: 's-g', generationId: 1, memberId: 'm', assignments: [] }
  await side.each(`${label}: says nothing`, syncGroup, { ...silent, protocolType: null, protocolName: null })
  const joins = { memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 60_000, topicPartitions: [] }
  await side.each(`${label}: malformed`, consumerGroupHeartbeat, {
    ...joins,
    groupId: '',
    subscribedTopicNames: ['s-a'],
  })
  await side.each(`${label}: some`, consumerGroupHeartbeat, {
    ...joins,
    groupId: 'r-c',
    subscribedTopicNames: ['r-a', 's-a'],
  })
  await side.each(`${label}: no names`, consumerGroupHeartbeat, {
    ...{ groupId: 's-c', memberId: 'm', memberEpoch: 5, subscribedTopicNames: [] },
  })
}

async function askRecords(side: Side, label: string): Promise<void> {
  const records = batchOf([{ key: 'k', value: 'v', timestamp: side.base, headers: [] }])
  const ids = [side.idOf('r-a'), side.idOf('s-a'), 'QQQQQQQQQQQQQQQQQQQQQg']
  const [partitionData, partitions] = [
    [
      { index: 0, records },
      { index: 9, records },
    ],
    [0, 9].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 0 })),
  ]
  await side.each(`${label}: some`, produce, (version) => ({
    ...{ acks: 1, timeoutMs },
    topicData:
      version < 13 ? all.map((name) => ({ name, partitionData })) : ids.map((topicId) => ({ topicId, partitionData })),
  }))
  await side.each(`${label}: some`, fetch, (version) => ({
    ...{ maxWaitMs: 0, minBytes: 0, isolationLevel: 0, forgottenTopicsData: [] },
    topics:
      version < 13 ? all.map((topic) => ({ topic, partitions })) : ids.map((topicId) => ({ topicId, partitions })),
  }))
  const added = ['r-a', 's-a', 'r-none', '__consumer_offsets'].map((name) => ({ name, partitions: [0] }))
  await side.each(`${label}: some`, addPartitionsToTxn, (version) =>
    version > 3
      ? undefined
      : {
          ...{ v3AndBelowTransactionalId: 'r-id', v3AndBelowProducerId: 1, v3AndBelowProducerEpoch: 0 },
          v3AndBelowTopics: added,
        },
  )
}

export async function rightsEdgesScenario(side: Side): Promise<void> {
  await side.quiet(createAcls, 3, { creations: [...atHome] })
  await side.settle()
  for (const name of ['r-a', 's-a']) await side.topic(name, 2)
  await coordinatorsReady(side, ['r-g', 's-g'])
  side.from = strangerHost
  const sets: readonly [string, (Right | Creation)[]][] = [
    ['nothing', []],
    ['to see', ['topic DESCRIBE', 'group DESCRIBE']],
    ['to work', ['topic READ', 'topic WRITE', 'group READ', 'id WRITE']],
    ['to change', ['topic ALTER', 'topic ALTER_CONFIGS', 'topic DESCRIBE_CONFIGS', 'group ALTER_CONFIGS']],
    ['to see, but one', ['topic DESCRIBE', acl('topic DESCRIBE', { prefix: 'r-a', isDenied: true })]],
    [
      'to work, but one',
      ['topic READ', 'topic WRITE', 'group READ', acl('topic ALL', { prefix: 'r-a', isDenied: true })],
    ],
    ['on the cluster', ['cluster ALTER_CONFIGS', 'cluster DESCRIBE_CONFIGS', 'cluster DESCRIBE']],
  ]
  for (const [label, rights] of sets) {
    await allow(side, ...rights)
    await askTopics(side, label)
    await askConfigs(side, label)
    await askGroups(side, label)
    await askRecords(side, label)
  }
  await allow(side)
  side.from = undefined
}
