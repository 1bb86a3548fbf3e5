// Two brokers with an authorizer, both started with allow.everyone.if.no.acl.found=true and fresh: every question of the table
// next door, asked by somebody who may do nothing, who has one right after the other, who has all that it takes, and all but one
// of them. Nobody says who they are, so ACLs tell askers apart by their hosts: whoever sets them up comes from 127.0.0.1.

import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { createAcls } from '../../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../../protocol/messages/31-delete-acls.ts'
import { describeLogDirs } from '../../../protocol/messages/35-describe-log-dirs.ts'
import { describeCluster } from '../../../protocol/messages/60-describe-cluster.ts'
import { listTransactions } from '../../../protocol/messages/66-list-transactions.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { describeTopicPartitions } from '../../../protocol/messages/75-describe-topic-partitions.ts'
import { shareFetch } from '../../../protocol/messages/78-share-fetch.ts'
import { shareAcknowledge } from '../../../protocol/messages/79-share-acknowledge.ts'
import { acl, atHome, ofStranger, strangerHost } from '../../api/strangers.ts'
import { pause, type Side } from '../side.ts'
import { names, type operations, type Question, questions, type Right, type resourceTypes } from './rights-questions.ts'
import { ready } from './share-groups.ts'
import { coordinatorsReady, Producer } from './transactions.ts'

const { topic, doomed, group, consumers, sharers, id } = names

async function allow(side: Side, rights: readonly Right[]): Promise<void> {
  await side.quiet(deleteAcls, 3, ofStranger)
  if (rights.length > 0) await side.quiet(createAcls, 3, { creations: rights.map((right) => acl(right)) })
  await side.settle()
}

async function set(side: Side): Promise<void> {
  await side.quiet(createAcls, 3, { creations: atHome })
  await side.settle()
  for (const name of [topic, doomed, 'other']) await side.topic(name, 2)
  await coordinatorsReady(side, [group, consumers, sharers])
  await Producer.open(side, id)
  for (const name of [topic, 'other']) {
    const partitions = [{ partitionIndex: 0, committedOffset: 3, committedMetadata: '' }]
    const body = { groupId: group, generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name, partitions }] }
    for (let tries = 0; tries < 50; tries++) {
      const answer = await side.quiet(offsetCommit, 8, body)
      if (answer.topics[0]!.partitions[0]!.errorCode === 0) break
      await pause(100)
    }
  }
  const beat = { memberEpoch: 0, rebalanceTimeoutMs: 60_000, topicPartitions: [], subscribedTopicNames: [topic] }
  await side.quiet(consumerGroupHeartbeat, 1, { ...beat, groupId: consumers, memberId: 'AAAAAAAAAAAAAAAAAAAAAA' })
  await ready(side, sharers, 'AAAAAAAAAAAAAAAAAAAAAQ', topic)
}

async function askAll(side: Side, label: string, all: readonly Question[]): Promise<void> {
  for (const { label: about, table, body } of all)
    await side.each(`${label}: ${about}`, table, (version) => body(version) as never)
}

/** What lists tell of. */
async function askLists(side: Side, label: string): Promise<void> {
  await side.each(`${label}: groups`, listGroups, {})
  await side.each(`${label}: ids`, listTransactions, { stateFilters: [], producerIdFilters: [] })
  await side.each(`${label}: the cluster`, describeCluster, { includeClusterAuthorizedOperations: true })
  await side.each(`${label}: all topics`, metadata, (version) => ({
    ...{ topics: version === 0 ? [] : null, includeTopicAuthorizedOperations: version >= 8 },
    includeClusterAuthorizedOperations: version >= 8 && version <= 10,
  }))
  await side.each(`${label}: all topics`, describeTopicPartitions, { topics: [] })
  await side.each(`${label}: page`, describeTopicPartitions, { topics: [], responsePartitionLimit: 1 })
}

/** Whether somebody may say what became of records is asked where they lie. */
async function askAcknowledgements(side: Side): Promise<void> {
  const of = (acknowledgementBatches: { firstOffset: number; lastOffset: number; acknowledgeTypes: number[] }[]) => [
    { topicId: side.idOf(topic), partitions: [{ partitionIndex: 0, acknowledgementBatches }] },
  ]
  const member = { groupId: sharers, memberId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  const nothing = { maxWaitMs: 0, minBytes: 0, maxBytes: 1000, maxRecords: 1, batchSize: 1, forgottenTopicsData: [] }
  const topics = of([{ firstOffset: 0, lastOffset: 0, acknowledgeTypes: [1] }])
  for (const rights of [['group READ'], ['group READ', 'topic READ']] as const) {
    await allow(side, rights)
    await side.ask(`${rights}: a session`, shareFetch, 1, {
      ...member,
      ...nothing,
      shareSessionEpoch: 0,
      topics: of([]),
    })
    await side.ask(`${rights}: said`, shareAcknowledge, 1, { ...member, shareSessionEpoch: 1, topics })
    await side.ask(`${rights}: said and more`, shareFetch, 1, { ...member, ...nothing, shareSessionEpoch: 2, topics })
  }
}

const rightsOf = (type: keyof typeof resourceTypes, ...of: (keyof typeof operations)[]): Right[] =>
  of.map((operation) => `${type} ${operation}` as const)

const single: readonly Right[] = [
  ...rightsOf('topic', 'READ', 'WRITE', 'CREATE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'DELETE'),
  ...rightsOf('group', 'READ', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'DELETE'),
  ...rightsOf('id', 'DESCRIBE', 'WRITE'),
  ...rightsOf(
    'cluster',
    'DESCRIBE',
    'CLUSTER_ACTION',
    'IDEMPOTENT_WRITE',
    'DESCRIBE_CONFIGS',
    'ALTER_CONFIGS',
    'CREATE',
    'ALTER',
  ),
]

export async function rightsScenario(side: Side): Promise<void> {
  await set(side)
  side.remember(`${sharers}:${side.idOf(topic)}:0`, '<share partition>')
  const { results } = await side.quiet(describeLogDirs, 3, { topics: [] })
  side.remember(results[0]!.logDir, '<folder>')
  const all = questions((name) => side.idOf(name))
  side.from = strangerHost
  for (const rights of [[], ...single.map((right) => [right])]) {
    const label = rights.length === 0 ? 'nothing' : rights.join()
    await allow(side, rights)
    await askLists(side, label)
    await askAll(side, label, all)
  }
  for (const question of all) {
    const { needs } = question
    for (const missing of needs.length > 1 ? [undefined, ...needs] : []) {
      await allow(
        side,
        needs.filter((right) => right !== missing),
      )
      await askAll(side, missing === undefined ? 'all it takes' : `without ${missing}`, [question])
    }
  }
  await askAcknowledgements(side)
  await allow(side, [])
  side.from = undefined
}
