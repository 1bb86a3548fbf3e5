// Rooms below the edge, in a set: groups know topics by the names inside, transactions and commits are kept by stored ones,
// and nobody is told of what is stored.

import { expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { txnOffsetCommit } from '../../protocol/messages/28-txn-offset-commit.ts'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { describeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { offsetDelete } from '../../protocol/messages/47-offset-delete.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../protocol/messages/69-consumer-group-describe.ts'
import { listConfigResources } from '../../protocol/messages/74-list-config-resources.ts'
import { describeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { Broker } from '../../src/index.ts'
import { Sharer } from '../share/member.ts'
import { batchOf, WireClient } from '../wire-client.ts'

type World = { broker: Broker; inside: WireClient; outside: WireClient }

async function inASet(play: (world: World) => Promise<void>): Promise<void> {
  await using broker = await Broker.start({ topics: ['orders', { name: 'stock', partitions: 2 }] })
  await broker.fork({ from: '*', set: 'S' })
  const outside = await WireClient.open(broker.bootstrapServers)
  const inside = await WireClient.open(broker.bootstrapServers, 'app--branch--S--')
  await play({ broker, inside, outside })
  inside.close()
  outside.close()
}

test('a consumer group is described by the names its members use, and its offsets are kept while it reads them', () =>
  inASet(async ({ inside, outside }) => {
    const joining = { groupId: 'g', memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 60_000, topicPartitions: [] }
    const joined = await inside.ask(consumerGroupHeartbeat, 1, { ...joining, subscribedTopicNames: ['stock'] })
    expect(joined).toMatchObject({ errorCode: 0, assignment: { topicPartitions: [{ partitions: [0, 1] }] } })
    const described = await inside.ask(consumerGroupDescribe, 1, {
      groupIds: ['g'],
      includeAuthorizedOperations: false,
    })
    const [group] = described.groups
    expect(group).toMatchObject({ groupId: 'g', errorCode: 0, members: [{ subscribedTopicNames: ['stock'] }] })
    expect(group!.members[0]!.assignment.topicPartitions.map(({ topicName }) => topicName)).toEqual(['stock'])
    const missing = await outside.ask(consumerGroupDescribe, 1, { groupIds: ['g'], includeAuthorizedOperations: false })
    expect(missing.groups[0]).toMatchObject({ errorCode: 69, errorMessage: 'Group g not found.' })
    const topics = ['stock', 'orders'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const deleted = await inside.ask(offsetDelete, 0, { groupId: 'g', topics })
    expect(deleted.topics.map(({ name, partitions }) => [name, partitions[0]!.errorCode])).toEqual([
      ['stock', 86],
      ['orders', 0],
    ])
  }))

test('a transaction tells its partitions by the names inside, and its offsets are the group of the set', () =>
  inASet(async ({ inside, outside }) => {
    const begun = { transactionalId: 'tx', transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 }
    const { producerId, producerEpoch } = await inside.ask(initProducerId, 4, begun)
    const claim = { transactionalId: 'tx', producerId, producerEpoch }
    const added = await inside.ask(addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: 'tx',
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: 'orders', partitions: [0] }],
    })
    expect(added.resultsByTopicV3AndBelow).toMatchObject([
      { name: 'orders', resultsByPartition: [{ partitionErrorCode: 0 }] },
    ])
    expect(await inside.ask(addOffsetsToTxn, 3, { ...claim, groupId: 'g' })).toMatchObject({ errorCode: 0 })
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: '' }] }]
    const committed = await inside.ask(txnOffsetCommit, 3, {
      ...claim,
      groupId: 'g',
      memberId: '',
      topics,
    })
    expect(committed.topics).toMatchObject([{ name: 'orders', partitions: [{ errorCode: 0 }] }])
    const { transactionStates } = await inside.ask(describeTransactions, 0, { transactionalIds: ['tx'] })
    const names = transactionStates[0]!.topics.map(({ topic }) => topic).sort()
    expect(names).toEqual(['__consumer_offsets', 'orders'])
    expect(await inside.ask(endTxn, 3, { ...claim, committed: true })).toMatchObject({ errorCode: 0 })
    const of = async (client: WireClient) =>
      (await client.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }], requireStable: true })).groups[0]!
    expect((await of(inside)).topics).toMatchObject([{ name: 'orders', partitions: [{ committedOffset: 5 }] }])
    expect((await of(outside)).topics).toEqual([])
    const foreign = await outside.ask(describeTransactions, 0, { transactionalIds: ['tx'] })
    expect(foreign.transactionStates[0]!.errorCode).toBe(105)
  }))

test('configurations of groups and topics are those of the set', () =>
  inASet(async ({ inside, outside }) => {
    const set = { name: 'consumer.session.timeout.ms', configOperation: 0, value: '50000' }
    const kept = { name: 'retention.ms', configOperation: 0, value: '1234' }
    const resources = [
      { resourceType: 32, resourceName: 'g', configs: [set] },
      { resourceType: 2, resourceName: 'orders', configs: [kept] },
    ]
    const altered = await inside.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    expect(altered.responses.map(({ resourceName, errorCode }) => `${resourceName} ${errorCode}`)).toEqual([
      'g 0',
      'orders 0',
    ])
    const told = async (client: WireClient, resourceType: number, resourceName: string, name: string) => {
      const asked = [{ resourceType, resourceName, configurationKeys: [name] }]
      const { results } = await client.ask(describeConfigs, 4, { resources: asked, includeSynonyms: false })
      return results[0]!.configs[0]!.value
    }
    expect(await told(inside, 32, 'g', 'consumer.session.timeout.ms')).toBe('50000')
    expect(await told(outside, 32, 'g', 'consumer.session.timeout.ms')).toBe('45000')
    expect(await told(inside, 2, 'orders', 'retention.ms')).toBe('1234')
    expect(await told(outside, 2, 'orders', 'retention.ms')).toBe('604800000')
    const listed = async (client: WireClient) => {
      const { configResources } = await client.ask(listConfigResources, 1, { resourceTypes: [2, 32] })
      return configResources
        .map(({ resourceName }) => resourceName)
        .filter((name) => !name.startsWith('__'))
        .sort()
    }
    expect(await listed(inside)).toEqual(['g', 'orders', 'stock'])
    expect(await listed(outside)).toEqual(['orders', 'stock'])
  }))

test('sentences and listings tell no stored name', () =>
  inASet(async ({ inside }) => {
    const topics = [
      { name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
      { name: 'x'.repeat(248), numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
      { name: 'a/b', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
    ]
    const created = await inside.ask(createTopics, 5, { topics, timeoutMs: 1000, validateOnly: false })
    expect(created.topics.map(({ name, errorCode }) => [name.slice(0, 6), errorCode])).toEqual([
      ['orders', 36],
      ['xxxxxx', 17],
      ['a/b', 17],
    ])
    expect(JSON.stringify(created)).not.toContain('--S')
    const { results } = await inside.ask(describeLogDirs, 4, { topics: null })
    expect(results[0]!.topics.map(({ name }) => name).sort()).toEqual(['orders', 'stock'])
    const page = await inside.ask(describeTopicPartitions, 0, { topics: [], responsePartitionLimit: 1, cursor: null })
    expect(page).toMatchObject({ topics: [{ name: 'orders' }], nextCursor: { topicName: 'stock', partitionIndex: 0 } })
    const next = { topics: [], responsePartitionLimit: 10, cursor: { topicName: 'stock', partitionIndex: 1 } }
    const rest = await inside.ask(describeTopicPartitions, 0, next)
    expect(rest).toMatchObject({ topics: [{ name: 'stock', partitions: [{ partitionIndex: 1 }] }], nextCursor: null })
  }))

test('what a share group in a set gives up lies in a topic of the set, under the names in there', () =>
  inASet(async ({ inside, outside }) => {
    const configs = [
      { name: 'errors.deadletterqueue.topic.name', configOperation: 0, value: 'dlq.orders' },
      { name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' },
    ]
    const resources = [{ resourceType: 32, resourceName: 'workers', configs }]
    await inside.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
    const dlq = { name: 'dlq.orders', numPartitions: 1, replicationFactor: 1, assignments: [] }
    const topics = [{ ...dlq, configs: [{ name: 'errors.deadletterqueue.group.enable', value: 'true' }] }]
    await inside.ask(createTopics, 5, { topics, timeoutMs: 1000, validateOnly: false })
    const records = batchOf(['bad'])
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }]
    await inside.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
    const idOf = async (client: WireClient) =>
      (await client.ask(metadata, 12, { topics: [{ name: 'orders' }] })).topics[0]!.topicId
    const worker = new Sharer(inside, 'a')
    expect(await worker.beat(0, ['orders'])).toMatchObject({ errorCode: 0 })
    const id = await idOf(inside)
    // A topic of the root is not there, though a group outside could share it.
    expect(await new Sharer(inside, 'a').take([[await idOf(outside), 0]])).toContain('UNKNOWN_TOPIC_ID')
    const sharer = new Sharer(inside, 'a')
    expect(await sharer.take([[id, 0]])).toBe('0: 0-0x1')
    expect(await sharer.say(id, 0, [0, 0, 3])).toBe('NONE')
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }]
    const body = { isolationLevel: 0, maxWaitMs: 0, minBytes: 0, topics: [{ topic: 'dlq.orders', partitions }] }
    const { responses } = await inside.ask(fetch, 12, body)
    const [letter] = [...readRecords(responses[0]!.partitions[0]!.records as Buffer, 0)]
    const told = Object.fromEntries(letter!.headers.map(({ key, value }) => [key, String(value)]))
    expect(told).toMatchObject({ '__dlq.errors.topic': 'orders', '__dlq.errors.group': 'workers' })
  }))
